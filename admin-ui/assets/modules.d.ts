declare module "htmx.org/dist/htmx.esm.js" {
  interface Htmx {
    ajax(verb: string, path: string, context: { target: Element; swap: string }): Promise<void>;
  }
  const htmx: Htmx;
  export default htmx;
}

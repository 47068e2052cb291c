//! The contract of `wit/` as Rust types. Host functions are asynchronous where they wait, and may
//! trap; the guest stays synchronous.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "portolan:plugin/connector",
    imports: {
        "portolan:plugin/http.send": async | trappable,
        "portolan:plugin/http.send-all": async | trappable,
        "portolan:plugin/http.download": async | trappable,
        "portolan:plugin/files.peek": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

// Asking a passkey: a form fetches its question, the browser asks its person, and the form is sent with the answer. The server
// writes bytes as base64url, the browser wants buffers.
type Json = Record<string, unknown>;
interface Question {
  ceremony: string;
  public_key: Json;
}

const MISSING_BUFFER = "the answer holds no bytes";

export function startPasskeys(): void {
  const known = typeof window.PublicKeyCredential === "function";
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    const button = form.querySelector<HTMLElement>("[data-passkey-button]");
    const missing = form.querySelector<HTMLElement>("[data-passkey-missing]");
    if (button) button.hidden = !known;
    if (missing) missing.hidden = known;
    form.addEventListener("submit", (event) => {
      if (field(form, "answer").value !== "") return;
      // Not sent yet: nobody else takes it for sent.
      event.preventDefault();
      event.stopPropagation();
      if (known && form.dataset.asking === undefined) void ask(form);
    });
  }
  // What is left of an answer was used.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) field(form, "answer").value = "";
  });
}

async function ask(form: HTMLFormElement): Promise<void> {
  form.dataset.asking = "";
  say(form, "");
  try {
    const question = await fetchQuestion(form);
    if (question === undefined) return;
    const answer = form.dataset.passkey === "create" ? await create(question.public_key) : await get(question.public_key);
    field(form, "ceremony").value = question.ceremony;
    field(form, "answer").value = JSON.stringify(answer);
    form.requestSubmit();
  } catch (error) {
    say(form, wordsFor(error));
  } finally {
    delete form.dataset.asking;
  }
}

async function fetchQuestion(form: HTMLFormElement): Promise<Question | undefined> {
  const response = await fetch(form.dataset.passkeyAsk ?? "", { method: "POST", headers: { accept: "application/json" } });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body as Question;
  if (body.code === "step_up_required") {
    location.assign(`/sign-in/again?next=${encodeURIComponent(location.pathname + location.search)}`);
    return undefined;
  }
  say(form, typeof body.detail === "string" ? body.detail : "The server did not answer as it should. Reload the page, then try again.");
  return undefined;
}

async function create(options: Json): Promise<Json> {
  const user = options.user as Json;
  const excluded = (options.excludeCredentials as Json[] | undefined) ?? [];
  const publicKey = {
    ...options,
    challenge: bytesOf(options.challenge),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: excluded.map((one) => ({ ...one, id: bytesOf(one.id) })),
  } as unknown as PublicKeyCredentialCreationOptions;
  const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential | null;
  if (!credential) throw new Error(MISSING_BUFFER);
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    ...told(credential),
    response: {
      attestationObject: textOf(response.attestationObject),
      clientDataJSON: textOf(response.clientDataJSON),
      transports: response.getTransports?.() ?? [],
    },
  };
}

async function get(options: Json): Promise<Json> {
  const allowed = (options.allowCredentials as Json[] | undefined) ?? [];
  const publicKey = {
    ...options,
    challenge: bytesOf(options.challenge),
    allowCredentials: allowed.map((one) => ({ ...one, id: bytesOf(one.id) })),
  } as unknown as PublicKeyCredentialRequestOptions;
  const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null;
  if (!credential) throw new Error(MISSING_BUFFER);
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    ...told(credential),
    response: {
      authenticatorData: textOf(response.authenticatorData),
      clientDataJSON: textOf(response.clientDataJSON),
      signature: textOf(response.signature),
      userHandle: response.userHandle ? textOf(response.userHandle) : null,
    },
  };
}

/** What both kinds of credentials tell. Of extensions nothing is asked that would have to come back. */
function told(credential: PublicKeyCredential): Json {
  return { id: credential.id, rawId: textOf(credential.rawId), type: credential.type, extensions: {} };
}

/** What a person can do about it. */
function wordsFor(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "It was cancelled, or nobody answered in time. Try again.";
  if (name === "InvalidStateError") return "This device has a passkey for this account already.";
  if (name === "SecurityError") return "The browser does not use passkeys at this address. Open Portolan at its public address, over https.";
  if (name === "NotSupportedError") return "This device cannot make a passkey of a kind that is taken here.";
  if (error instanceof TypeError) return "The server cannot be reached. Look at your connection, then try again.";
  return "The browser could not ask the passkey. Reload the page, then try again.";
}

function say(form: HTMLFormElement, words: string): void {
  const place = form.querySelector<HTMLElement>("[data-passkey-error]");
  if (!place) return;
  place.textContent = words;
  place.hidden = words === "";
}

function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

function bytesOf(text: unknown): ArrayBuffer {
  const base64 = String(text).replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return bytes.buffer;
}

function textOf(buffer: ArrayBuffer): string {
  let binary = "";
  for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

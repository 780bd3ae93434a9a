// The API, with the key of this tab.

const BASE = new URL("v1/", document.baseURI);
const KEY = "files-api-key";

/** The key, kept for this tab only. */
export const session = {
  get key() {
    return sessionStorage.getItem(KEY);
  },
  open: (key) => sessionStorage.setItem(KEY, key),
  close: () => sessionStorage.removeItem(KEY),
};

/** What went wrong, as a sentence with the id of the request. `status` is 0 if no answer came. */
export class ApiError extends Error {
  constructor(message, status = 0, requestId = null) {
    super(requestId ? `${message} (Request ID: ${requestId})` : message);
    this.status = status;
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Asks the API: `call("GET", "files", { query: { limit: 100 } })`. Throws ApiError. */
export async function call(method, path, { query = {}, body, signal } = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  const headers = { Authorization: `Bearer ${session.key}` };
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
  } catch (problem) {
    if (signal?.aborted) throw signal.reason;
    throw new ApiError(unreachable(), 0);
  }
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  const message = found.error?.message ?? `The server answered with status ${answer.status}.`;
  const error = new ApiError(message, answer.status, answer.headers.get("x-request-id"));
  if (answer.status === 401) document.dispatchEvent(new CustomEvent("unauthorized", { detail: error }));
  throw error;
}

/** Why no answer came. */
export const unreachable = () =>
  navigator.onLine
    ? "The server cannot be reached. Try again in a moment."
    : "You are offline. Connect to the internet and try again.";

// Requests to the service. Addresses are relative, so that the page also works behind a proxy with a path of its own.

import { fromSession, toSession } from "./storage.js";

const TRIES = 5;

// An answer that says what is wrong. code: of the service, or `offline`, `unreadable`.
export class ServiceError extends Error {
  constructor(code, message = "", status = 0) {
    super(message);
    Object.assign(this, { code, status });
  }
}

export class Service {
  // askToken: gives a token, or null; told again whether the last one was wrong. waiting: is told the seconds.
  constructor({ askToken, waiting, get = (...given) => fetch(...given) }) {
    Object.assign(this, { askToken, waiting, get, token: fromSession("token") });
  }

  json = async (path, options) => {
    const response = await this.#send(path, options);
    const body = await response.json().catch(() => null);
    if (body === null || typeof body !== "object") throw new ServiceError("unreadable", "", response.status);
    return body;
  };

  // A file, and the name that the service gives it.
  file = async (path, options) => {
    const response = await this.#send(path, options);
    const name = /filename="?([\w.-]+)"?/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
    return { blob: await response.blob(), name };
  };

  async #send(path, { method = "GET", body } = {}) {
    for (let tried = 1; ; tried += 1) {
      const response = await this.#try(path, method, body);
      if (response.ok) return response;
      const error = await readError(response);
      if (error.status === 401 && (await this.#newToken())) tried -= 1;
      else if (error.status === 429 && tried < TRIES) await this.#wait(response);
      else throw error;
    }
  }

  async #try(path, method, body) {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    try {
      return await this.get(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    } catch {
      throw new ServiceError("offline");
    }
  }

  // Several requests that wait for a token share one question.
  async #newToken() {
    this.asking ??= this.askToken(Boolean(this.token)).finally(() => { this.asking = null; });
    const token = await this.asking;
    if (!token) return false;
    this.token = token;
    toSession("token", token);
    return true;
  }

  async #wait(response) {
    const seconds = Math.min(60, Math.max(1, Number(response.headers.get("Retry-After")) || 1));
    this.waiting(seconds);
    await new Promise(done => setTimeout(done, seconds * 1000));
  }
}

async function readError(response) {
  const { error } = (await response.json().catch(() => null)) ?? {};
  return new ServiceError(String(error?.code ?? "unreadable"), String(error?.message ?? ""), response.status);
}

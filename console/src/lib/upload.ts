// Files become blobs, named by their content; a directory is a list of them.

import { refusal } from "../api/stream";
import { address } from "./api";
import { login } from "./login.svelte";

/** How much of all is sent: 0 to 1. */
export type Told = (share: number) => void;

interface Kept {
  uri: string;
  digest: string;
  size: number;
}

/** Of `XMLHttpRequest`, because `fetch` does not say how far it is. */
function put(url: string, body: Blob, told: (bytes: number) => void, stop: AbortSignal): Promise<Response> {
  return new Promise((kept, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    request.setRequestHeader("content-type", "application/octet-stream");
    for (const [name, value] of Object.entries(login.headers())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => told(event.loaded);
    request.onload = () => kept(new Response(request.responseText, { status: request.status, headers: { "content-type": request.getResponseHeader("content-type") ?? "" } }));
    request.onerror = () => failed(new Error("The connection was lost while it was sent. Once more, please."));
    request.onabort = () => failed(new DOMException("stopped", "AbortError"));
    stop.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

async function keep(body: Blob, name: string, told: (bytes: number) => void, stop: AbortSignal): Promise<Kept> {
  const digest = await crypto.subtle.digest("SHA-256", await body.arrayBuffer());
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const url = address(`/blobs/${hex}`, { name });
  let response = await put(url, body, told, stop);
  if (response.status === 401 && (await login.refreshed())) response = await put(url, body, told, stop);
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as Kept;
}

/** Send a file; its address, which inputs say. */
export async function upload(file: File, told: Told, stop: AbortSignal): Promise<string> {
  return (await keep(file, file.name, (bytes) => told(file.size ? bytes / file.size : 1), stop)).uri;
}

/** Send a directory as the browser gives it; its address. */
export async function uploadAll(files: File[], told: Told, stop: AbortSignal): Promise<string> {
  const all = files.reduce((sum, file) => sum + file.size, 0) || 1;
  const entries: (Kept & { path: string })[] = [];
  let sent = 0;
  let name = "directory";
  for (const file of [...files].sort((a, b) => (a.webkitRelativePath < b.webkitRelativePath ? -1 : 1))) {
    const [top, ...rest] = file.webkitRelativePath.split("/");
    name = top || name;
    const { uri, digest, size } = await keep(file, file.name, (bytes) => told((sent + bytes) / all), stop);
    entries.push({ path: rest.join("/") || file.name, uri, digest, size });
    sent += file.size;
  }
  return (await keep(new Blob([JSON.stringify(entries)]), name, () => undefined, stop)).uri;
}


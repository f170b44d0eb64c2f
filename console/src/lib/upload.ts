// A file becomes a blob, named by its content.

import { refusal } from "../api/stream";
import { address, asked } from "./api";

export async function upload(file: File): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const response = await asked(address(`/blobs/${hex}`, { name: file.name }), {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  });
  if (!response.ok) throw await refusal(response);
  return ((await response.json()) as { uri: string }).uri;
}

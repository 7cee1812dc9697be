// Chat that nobody typed, for setting an overlay up while a channel is silent (`?demo`).

import { parseEvent, type ChatEvent } from "../../../lib/wire";

const EVERY_MS = 1_400;

interface Said {
  login: string;
  name?: string;
  color?: string;
  text: string;
  badge?: string;
  platform?: string;
}

const SCRIPT: Said[] = [
  { login: "mara_vale", color: "#8AE020", text: "this overlay is set up with demo chat", badge: "subscriber" },
  { login: "quill", name: "Quill", color: "#0000FF", text: "even a dark blue name can be read", badge: "moderator" },
  { login: "tomo", name: "ともみ", text: "こんにちは！ 楽しみにしてました 🎉" },
  { login: "noor", name: "نور", text: "مرحبا بالجميع", platform: "youtube" },
  { login: "harborlights", color: "#FF7F50", text: "a somewhat longer line shows how lines wrap when they do not fit", badge: "vip" },
  { login: "pip", text: "!uptime" },
  { login: "lumen", color: "#B22222", text: "gg 👏👏👏", platform: "kick" },
];

/** Says a line now and then until the returned function is called. */
export function playDemo(say: (events: ChatEvent[]) => void): () => void {
  let next = 0;
  const line = () => {
    const event = spoken(SCRIPT[next % SCRIPT.length]!, ++next);
    if (event) say([event]);
  };
  for (let first = 0; first < 4; first++) line();
  const timer = setInterval(line, EVERY_MS);
  return () => clearInterval(timer);
}

function spoken({ login, name, color, text, badge, platform }: Said, id: number): ChatEvent | null {
  const at = new Date().toISOString();
  const badges = badge ? [{ set: badge, version: "1" }] : [];
  return parseEvent({
    id: `demo-${id}`,
    kind: "message",
    platform: platform ?? "twitch",
    channel: { login: "demo" },
    at,
    received_at: at,
    author: { login, name: name ?? login, color, badges, roles: badge ? [badge] : [] },
    text,
  });
}

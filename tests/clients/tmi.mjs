// Runs tmi.js against the address in the first argument's JSON and prints one line of JSON for each thing it saw.
import tmi from "tmi.js";

const options = JSON.parse(process.argv[2]);
const client = new tmi.Client({
  options: { skipUpdatingEmotesets: true, skipMembership: options.skipMembership ?? false },
  connection: {
    server: "127.0.0.1",
    port: options.port,
    secure: false,
    reconnect: options.reconnect ?? false,
    reconnectInterval: 1000,
  },
  identity: options.username ? { username: options.username, password: options.password } : undefined,
  channels: options.channels ?? [],
  logger: { info() {}, warn() {}, error() {}, setLevel() {} },
});

const say = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);

client.on("connected", () => say("connected"));
client.on("disconnected", (reason) => say("disconnected", { reason }));
client.on("reconnect", () => say("reconnect"));
client.on("ping", () => say("ping"));
client.on("pong", (latency) => say("pong", { latency }));
client.on("join", (channel, user, self) => say("join", { channel, user, self }));
client.on("part", (channel, user, self) => say("part", { channel, user, self }));
client.on("roomstate", (channel, state) => say("roomstate", { channel, room: state["room-id"] }));
client.on("globaluserstate", (state) => say("globaluserstate", { user: state["user-id"] }));
client.on("notice", (channel, id, text) => say("notice", { channel, id, text }));
client.on("message", (channel, user, text) => {
  say("message", { channel, text, id: user.id, login: user.username, name: user["display-name"], color: user.color });
});
client.on("timeout", (channel, login, _, seconds) => say("timeout", { channel, login, seconds }));
client.on("clearchat", (channel) => say("clearchat", { channel }));
client.on("messagedeleted", (channel, login, text, state) => {
  say("messagedeleted", { channel, login, text, target: state["target-msg-id"] });
});
client.on("resub", (channel, login, months, text, user) => say("resub", { channel, login, text, id: user.id }));
client.on("raw_message", (message) => {
  if (message.command === "RECONNECT") say("told_to_reconnect");
});

client.connect().catch((reason) => say("refused", { reason: String(reason) }));

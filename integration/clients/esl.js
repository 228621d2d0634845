// npm esl drives a live room, and connects again when Parley restarts:
// node esl.js HOST PORT ROOM. It ends when it is told to on its input.
const [host, port, room] = process.argv.slice(2);
const { FreeSwitchClient } = require("esl");

const logger = Object.fromEntries(["debug", "info", "error"].map((level) => [level, () => {}]));
const client = new FreeSwitchClient({ host, port: Number(port), password: "ClueCon", logger });
let times = 0;

client.on("connect", async (call) => {
  try {
    times++;
    console.log("connected", times);
    if (times > 1) {
      const r = await call.api("status", 5000);
      console.log("again", r.body.split("\n")[1].includes("is ready"));
      process.exit(0);
    }
    call.on("CUSTOM", (e) => {
      const body = e.body;
      if (body["Action"] === "mute-member") console.log("told", body["Member-ID"], body["Speak"]);
    });
    await call.event_json("CUSTOM", "conference::maintenance");
    const r = await call.api(`conference ${room} count`, 5000);
    console.log("count", r.body);
    const m = await call.bgapi(`conference ${room} mute 1`, 5000);
    console.log("job", String(m.body._body ?? m.body.data ?? m.body).trim());
  } catch (err) {
    console.log("error", err.message);
    process.exit(1);
  }
});
client.connect();
setTimeout(() => { console.log("too slow"); process.exit(1); }, 40000);

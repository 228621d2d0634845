// npm modesl drives a live room: node modesl.js HOST PORT ROOM
const [host, port, room] = process.argv.slice(2);
const esl = require("modesl");

function connect(then) {
  const c = new esl.Connection(host, Number(port), "ClueCon", () => then(c));
  c.on("error", (e) => { console.log("error", e.message || e); process.exit(1); });
}

connect((c) => {
  c.subscribe(["CUSTOM conference::maintenance"], () => {
    c.on("esl::event::CUSTOM::*", (e) => {
      if (e.getHeader("Action") !== "mute-member") return;
      console.log("told", e.getHeader("Member-ID"), e.getHeader("Speak"));
      c.disconnect();
      connect((again) => again.api(`conference ${room} unmute 1`, (r) => {
        console.log("again", r.getBody().trim());
        again.show("channels", "json", (err, list) => {
          console.log("channels", err ? err.message : list.rowCount ?? list.row_count);
          process.exit(0);
        });
      }));
    });
    c.api(`conference ${room} count`, (r) => {
      console.log("count", r.getBody());
      c.bgapi(`conference ${room} mute 1`, (r) => console.log("job", r.getBody().trim()));
    });
  });
});
setTimeout(() => { console.log("too slow"); process.exit(1); }, 15000);

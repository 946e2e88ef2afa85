"use strict";
// `$` is of the page that this is part of.
let denied = "Who comes in here must show the token.";
// The token once; then a cookie stands for it, which links and players bear too.
async function enter() {
  const answer = await fetch("/session", { method: "POST", headers: { authorization: "Bearer " + $("token").value } });
  $("token").value = "";
  $("ask").hidden = answer.ok;
  denied = "That is not the token.";
}
// A stream's text, piece by piece, as every browser can read it.
async function* pieces(body) {
  const reader = body.getReader(), decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

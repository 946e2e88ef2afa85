"use strict";
// `$` is of the page that this is part of.
let denied = "This server needs its token (CHALKREEL_HTTP_TOKEN): enter it above.";
// The token is sent once; then a cookie replaces it, which links and players send too.
async function enter() {
  const answer = await fetch("/session", { method: "POST", headers: { authorization: "Bearer " + $("token").value } });
  $("token").value = "";
  $("ask").hidden = answer.ok;
  denied = "The token is wrong. Enter the value of CHALKREEL_HTTP_TOKEN.";
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

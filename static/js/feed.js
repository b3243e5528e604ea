// What the same person does elsewhere, in another tab, on the other face or on another device, shows here at once.
{
  const HELD = 30000; // the server holds a request for 20 s
  const TOGETHER = 150; // what comes in a burst is shown together
  const LONGEST_PAUSE = 10000;
  const CALM = 1000;
  const SOON = 50;
  const FEW = 50; // messages on a page at first
  let last = document.body.dataset.feed;
  let visit = new AbortController();
  let isShowing = false;

  const openConversation = () => document.getElementById("heading")?.dataset.conversation;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const whenSeen = () =>
    new Promise((resolve) => {
      if (!document.hidden) resolve();
      else document.addEventListener("visibilitychange", resolve, { once: true });
    });

  async function follow() {
    let failures = 0;
    for (;;) {
      await whenSeen();
      visit = new AbortController();
      try {
        const signal = AbortSignal.any([visit.signal, AbortSignal.timeout(HELD)]);
        const answer = await fetch(`/events?after=${last}`, { signal });
        if (answer.redirected || answer.status === 401) return; // nobody is signed in any more
        if (!answer.ok) throw new Error(answer.statusText);
        const { events, last_event_id } = await answer.json();
        last = last_event_id;
        failures = 0;
        if (events.length) await show(events);
        await pause(TOGETHER);
      } catch {
        failures += 1;
        if (!visit.signal.aborted) await pause(Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.75 + Math.random() / 2));
      }
    }
  }

  document.addEventListener("visibilitychange", () => document.hidden && visit.abort());
  addEventListener("pagehide", () => visit.abort());

  async function show(events) {
    while (sending) await pause(SOON); // what this page does itself, its own answer shows
    document.dispatchEvent(new Event("conversations-changed"));
    if (newest(events).some(isNewsHere)) showConversation();
  }

  // Of each conversation and each job the last word counts.
  const newest = (events) => [...new Map(events.map((one) => [`${one.event} ${one.data.id}`, one])).values()];

  let sending = 0;
  const isSent = ({ detail }) => detail.ctx.request.method !== "GET";
  document.addEventListener("htmx:before:request", (event) => isSent(event) && (sending += 1));
  document.addEventListener("htmx:finally:request", (event) => isSent(event) && (sending -= 1));

  // An answer that was followed here is no news, also where the word of its beginning comes after its end.
  const followed = new Set();
  const idOfJob = (poller) => /\/jobs\/([0-9a-f-]{36})/.exec(poller.getAttribute("hx-get") ?? "")?.[1];
  const note = () => document.querySelectorAll("#messages .poller").forEach((poller) => followed.add(idOfJob(poller)));
  note();
  document.addEventListener("htmx:after:swap", note);

  /** Whether the conversation on this page is no longer what it shows. */
  function isNewsHere({ event, data }) {
    if (event === "reset") return Boolean(openConversation());
    const isHere = (data.conversation_id ?? data.id) === openConversation();
    if (!isHere || data.change === "deleted") return false;
    if (event === "conversation") return Boolean(data.head_id) && !document.getElementById(`message-${data.head_id}`);
    const isUnderWay = data.kind === "answer" && (data.status === "queued" || data.status === "running");
    return isUnderWay && !followed.has(data.id);
  }

  function showConversation() {
    const list = document.getElementById("messages");
    if (!list || document.querySelector(".elsewhere")) return; // an earlier part, which stays what it is
    const whole = list.querySelectorAll(".message").length > FEW ? "?whole=1" : "";
    const headers = { "HX-Target": "div#chat" }; // which htmx names by itself only where an element asks
    const how = { target: "#chat", swap: "outerMorph", headers, inBackground: true };
    htmx.ajax("GET", `/c/${openConversation()}${whole}`, how).catch(() => {});
  }

  // What somebody is writing, and an answer that is being written, go on as they are.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => (isShowing = Boolean(ctx.inBackground && ctx.target?.id === "chat")));
  document.addEventListener("htmx:after:swap", () => (isShowing = false));
  const GOES_ON = ".composer textarea, .composer select, .options, .message:has(.poller, form.edit)";
  htmx.registerExtension("live", {
    htmx_before_morph_node: (old) => !isShowing || !(old instanceof Element && old.matches(GOES_ON)),
  });

  // Back: the page is as it was when it was left.
  addEventListener("pageshow", (event) => event.persisted && document.getElementById("chat") && showConversation());

  // What changes until then is told then: the page itself comes first.
  if (last) addEventListener("load", () => setTimeout(follow, CALM));
}

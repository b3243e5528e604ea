// Changes that the same person makes elsewhere: in another tab, on the other face, on another device.
{
  const HELD = 30000; // the server holds a request for 20 s
  const PAUSE = 150; // between two polls, so that a burst of changes is one redraw
  const LONGEST_PAUSE = 10000;
  const DELAY = 1000; // the page itself loads first
  const SOON = 50;
  const FEW = 50; // messages on a page at first
  let last = document.body.dataset.feed;
  let visit = new AbortController();
  let isShowing = false;

  const openConversation = () => document.getElementById("heading")?.dataset.conversation;
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const whenVisible = () =>
    new Promise((resolve) => {
      if (!document.hidden) resolve();
      else document.addEventListener("visibilitychange", resolve, { once: true });
    });

  async function follow() {
    let failures = 0;
    for (;;) {
      await whenVisible();
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
        await pause(PAUSE);
      } catch {
        failures += 1;
        if (!visit.signal.aborted) await pause(Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.75 + Math.random() / 2));
      }
    }
  }

  document.addEventListener("visibilitychange", () => document.hidden && visit.abort());
  addEventListener("pagehide", () => visit.abort());

  async function show(events) {
    while (sending) await pause(SOON); // the response of this page's own request shows its changes
    document.dispatchEvent(new Event("conversations-changed"));
    if (newest(events).some(isNewsHere)) showConversation();
  }

  // Only the last state of each conversation and each job counts.
  const newest = (events) => [...new Map(events.map((one) => [`${one.event} ${one.data.id}`, one])).values()];

  let sending = 0;
  const isSent = ({ detail }) => detail.ctx.request.method !== "GET";
  document.addEventListener("htmx:before:request", (event) => isSent(event) && (sending += 1));
  document.addEventListener("htmx:finally:request", (event) => isSent(event) && (sending -= 1));

  // The page follows its own answers by pollers. The event that one has begun may arrive after its end.
  const followed = new Set();
  const idOfJob = (poller) => /\/jobs\/([0-9a-f-]{36})/.exec(poller.getAttribute("hx-get") ?? "")?.[1];
  const remember = () => document.querySelectorAll("#messages .poller").forEach((poller) => followed.add(idOfJob(poller)));
  remember();
  document.addEventListener("htmx:after:swap", remember);

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
    if (!list || document.querySelector(".elsewhere")) return; // an earlier part of the conversation does not change
    const whole = list.querySelectorAll(".message").length > FEW ? "?whole=1" : "";
    const headers = { "HX-Target": "div#chat" }; // htmx sets it only for requests of elements
    const how = { target: "#chat", swap: "outerMorph", headers, inBackground: true };
    htmx.ajax("GET", `/c/${openConversation()}${whole}`, how).catch(() => {});
  }

  // Leave alone what the person is writing, and answers that are being written.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => (isShowing = Boolean(ctx.inBackground && ctx.target?.id === "chat")));
  document.addEventListener("htmx:after:swap", () => (isShowing = false));
  const GOES_ON = ".composer textarea, .composer select, .options, .message:has(.poller, form.edit)";
  htmx.registerExtension("live", {
    htmx_before_morph_node: (old) => !isShowing || !(old instanceof Element && old.matches(GOES_ON)),
  });

  // A page from the browser's cache is as old as the visit before.
  addEventListener("pageshow", (event) => event.persisted && document.getElementById("chat") && showConversation());

  if (last) addEventListener("load", () => setTimeout(follow, DELAY));
}

// Dragging by touch, for all that can be dragged by mouse: a finger on it makes the same events. And the columns of an import.
"use strict";
(() => {
  const FAR = 6; // pixels after which it is no tap
  const EDGE = 70; // so near to the edge of the window it scrolls
  let carried = null;

  function send(name, target, event, related = null) {
    const made = new DragEvent(name, {
      bubbles: true, cancelable: true, composed: true, dataTransfer: carried.data, relatedTarget: related,
      clientX: event.clientX, clientY: event.clientY,
    });
    target.dispatchEvent(made);
    return made.defaultPrevented;
  }
  function end(event, drops) {
    if (!carried) return;
    if (carried.begun) {
      if (drops && carried.over && carried.may) send("drop", carried.over, event);
      send("dragend", carried.grip, event);
    }
    carried.grip.setAttribute("draggable", "true");
    carried = null;
  }
  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest?.("[draggable=true]");
    if (event.pointerType !== "touch" || !grip || carried) return;
    grip.setAttribute("draggable", "false"); // the browser's own dragging, after a long touch, would take it away
    carried = { grip, id: event.pointerId, data: new DataTransfer(), x: event.clientX, y: event.clientY, begun: false, over: null, may: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!carried || event.pointerId !== carried.id) return;
    if (!carried.begun) {
      if (Math.hypot(event.clientX - carried.x, event.clientY - carried.y) < FAR) return;
      carried.begun = true;
      send("dragstart", carried.grip, event);
    }
    if (event.clientY < EDGE) scrollBy(0, -12);
    if (event.clientY > innerHeight - EDGE) scrollBy(0, 12);
    const over = document.elementFromPoint(event.clientX, event.clientY);
    if (carried.over && carried.over !== over) send("dragleave", carried.over, event, over);
    carried.over = over;
    carried.may = over !== null && send("dragover", over, event);
  });
  document.addEventListener("pointerup", (event) => event.pointerId === carried?.id && end(event, true));
  document.addEventListener("pointercancel", (event) => event.pointerId === carried?.id && end(event, false));

  const goesOf = (event) => event.target.closest?.("[data-goes]") ?? null;
  function unmark() {
    for (const box of document.querySelectorAll(".drop-here")) box.classList.remove("drop-here");
  }
  document.addEventListener("dragend", unmark);
  let column = null;
  // A column that was moved by a key is drawn anew in its new box, and has the focus there.
  let moved = null;
  function refocus() {
    if (moved === null || (document.activeElement && document.activeElement !== document.body)) return;
    document.querySelector(`[data-column="${moved}"]`)?.focus();
  }
  document.addEventListener("focusin", (event) => {
    if (event.target.closest("[data-column]")?.dataset.column !== moved) moved = null;
  });
  document.addEventListener("pointerdown", () => { moved = null; });
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(refocus).observe(document.body, { childList: true, subtree: true });
  });
  window.livesegments.columns = {
    pressed(event, emit) {
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      const chip = event.target.closest("[data-column]");
      if (!step || !chip || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      moved = chip.dataset.column;
      emit(Number(moved), step);
    },
    dragged(event) {
      column = event.target.closest("[data-column]")?.dataset.column ?? null;
      event.dataTransfer.setData("text/plain", column ?? "");
      event.dataTransfer.effectAllowed = "move";
    },
    over(event) {
      const box = goesOf(event);
      unmark();
      if (!box || column === null) return;
      event.preventDefault();
      box.classList.add("drop-here");
    },
    dropped(event, emit) {
      const box = goesOf(event);
      unmark();
      if (!box || column === null) return;
      event.preventDefault();
      emit(Number(column), box.dataset.goes);
      column = null;
    },
  };
})();

// The builder of segments in the browser: what has the focus after rows were made anew, dragging, and keys.
"use strict";
(() => {
  const STEPS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "leave", ArrowRight: "enter" };
  let last = null; // what had the focus: the row and the label of the field
  let source = null; // the row that is dragged

  const rowOf = (element) => element.closest?.("[data-row]") ?? null;
  const find = (pointer) => document.querySelector(`[data-row="${CSS.escape(pointer)}"]`);
  const labelOf = (element) =>
    element.getAttribute("aria-label") ?? element.closest("label")?.firstElementChild?.textContent ?? element.textContent;

  function described(element) {
    const row = rowOf(element);
    return { row: row ? row.dataset.row : null, label: labelOf(element), tag: element.tagName };
  }
  function restore() {
    if (last === null || (document.activeElement && document.activeElement !== document.body)) return;
    const row = last.row === null ? document.querySelector(".builder") : find(last.row);
    if (!row) return;
    const fields = row.querySelectorAll("input, select, textarea, button, summary");
    const same = [...fields].find((field) => field.tagName === last.tag && labelOf(field) === last.label);
    if (same?.tagName === "INPUT" && same.type === "text") same.setSelectionRange(same.value.length, same.value.length);
    (same ?? row.querySelector(".phrase, .which") ?? row.querySelector("button"))?.focus({ preventScroll: Boolean(same) });
  }
  document.addEventListener("focusin", (event) => {
    last = event.target.closest?.(".builder") ? described(event.target) : null;
  });
  // Ctrl+Z and Ctrl+Y, wherever the focus is; in a field they are the browser's own.
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y")) return;
    if (event.target.matches?.("input, textarea")) return;
    const button = document.querySelector(`.builder [data-does="${key === "y" || event.shiftKey ? "redo" : "undo"}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.(".builder")) last = null;
  });
  // On wide screens the definition as JSON stands beside its boxes, open.
  function beside() {
    const pane = document.querySelector("details.beside:not([data-seen])");
    if (!pane) return;
    pane.dataset.seen = "";
    if (matchMedia("(min-width: 1600px)").matches) pane.open = true;
  }
  document.addEventListener("DOMContentLoaded", () => {
    beside(); // what was drawn before this is no mutation
    new MutationObserver(beside).observe(document.body, { childList: true, subtree: true });
    new MutationObserver(restore).observe(document.body, { childList: true, subtree: true });
  });

  function place(event) {
    const row = rowOf(event.target);
    if (source === null || !row || row.dataset.row === source || row.dataset.row.startsWith(`${source}/`)) return null;
    const box = row.getBoundingClientRect();
    const line = row.querySelector(".line").getBoundingClientRect();
    const group = row.classList.contains("group");
    if (row.dataset.row !== "" && event.clientY < line.top + line.height * 0.3) return [row, "before"];
    if (row.dataset.row !== "" && event.clientY > box.bottom - (group ? 12 : box.height * 0.3)) return [row, "behind"];
    return [row, "onto"];
  }
  function unmark() {
    for (const row of document.querySelectorAll(".drop-before, .drop-behind, .drop-onto")) {
      row.classList.remove("drop-before", "drop-behind", "drop-onto");
    }
  }
  document.addEventListener("dragend", () => {
    unmark();
    document.querySelector(".dragging")?.classList.remove("dragging");
    source = null;
  });

  window.livesegments.builder = {
    // The row that the next change is about gets the focus. This comes from the server: whoever types in one of the
    // row's fields by then goes on there, else the rest of the word would land in another field.
    focus(pointer) {
      const row = find(pointer);
      const active = document.activeElement;
      if (active?.matches("input, select, textarea") && rowOf(active) === row) return;
      last = { row: pointer, label: null, tag: "" };
      (row?.querySelector(".fields input, .fields select, .fields textarea") ?? row?.querySelector(".phrase, .which"))?.focus();
    },
    named(draft) {
      const here = new URL(location.href);
      here.searchParams.set("draft", draft);
      history.replaceState(history.state, "", here);
    },
    clicked(event, emit) {
      const button = event.target.closest("[data-step]");
      const row = button && rowOf(button);
      if (row && event.detail < 2) emit(button.dataset.step, row.dataset.row);
    },
    pressed(event, emit) {
      const row = rowOf(event.target);
      if (!row) return;
      if (event.altKey && STEPS[event.key]) {
        event.preventDefault();
        emit(STEPS[event.key], row.dataset.row);
      } else if (event.key === "Delete" && event.target.classList.contains("phrase")) {
        emit("remove", row.dataset.row);
      }
    },
    dragged(event) {
      const row = rowOf(event.target);
      if (!row || !event.target.closest(".grip")) return;
      source = row.dataset.row;
      event.dataTransfer.setData("text/plain", source);
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setDragImage(row, 12, 20);
      requestAnimationFrame(() => row.classList.add("dragging"));
    },
    over(event) {
      const found = place(event);
      unmark();
      if (!found) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      found[0].classList.add(`drop-${found[1]}`);
    },
    left(event) {
      if (!event.currentTarget.contains(event.relatedTarget)) unmark();
    },
    dropped(event, emit) {
      const found = place(event);
      unmark();
      if (!found) return;
      event.preventDefault();
      emit(source, found[0].dataset.row, found[1]);
    },
  };
})();

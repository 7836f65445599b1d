"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const heardAsTarget = (draw) => draw.judged.filter((each) => each.response === draw.target).length;
  let chosen = null; // the draw that is shown
  let current = "after"; // the sound that the space bar plays
  let natural = 0; // which of its exemplars

  // The table of draws: a row a class, a column a set-up.
  const buttons = new Map();
  function drawTable() {
    const head = make("tr", {}, make("th", { scope: "col" }, "class"));
    for (const name of data.sets) head.append(make("th", { scope: "col" }, name));
    document.querySelector("#draws thead").append(head);
    for (const target of data.targets) {
      const row = make("tr", {}, make("th", { scope: "row" }, target));
      for (const name of data.sets) {
        const cell = make("td");
        for (const draw of data.draws) if (draw.target === target && draw.set === name) cell.append(button(draw));
        row.append(cell);
      }
      document.querySelector("#draws tbody").append(row);
    }
  }

  function button(draw) {
    const share = draw.judged.length ? heardAsTarget(draw) / draw.judged.length : 0;
    const said = draw.judged.length
      ? `${heardAsTarget(draw)} of ${draw.judged.length} judges hear ${draw.target}`
      : "not judged";
    const made = make("button", {
      type: "button", tabindex: "-1", "aria-pressed": "false", title: said,
      "aria-label": `${draw.target}, ${draw.set}, draw ${draw.number}, ${said}`,
    }, String(draw.number));
    const lightness = 98 - 60 * share;
    made.style.background = `hsl(210 60% ${lightness}%)`;
    made.style.color = lightness < 47 ? "#fff" : "#000";
    made.addEventListener("click", () => choose(draw));
    buttons.set(draw, made);
    return made;
  }

  // One spectrogram with its axes and, where it is a sound, its player.
  function figure(name, caption, picture, description, sound) {
    const axes = make("div", { class: "axes" }, make("img", { src: picture, alt: description }));
    for (const [label, height] of data.axes.frequencies) {
      const tick = make("span", { class: "hz", "aria-hidden": "true" }, label);
      tick.style.bottom = `${100 * height}%`;
      axes.append(tick);
    }
    for (const share of [0, 0.5, 1]) {
      const tick = make("span", { class: "s", "aria-hidden": "true" }, `${(share * data.axes.duration_s).toFixed(2)} s`);
      tick.style.left = `${100 * share}%`;
      axes.append(tick);
    }
    const made = make("figure", { "data-sound": name }, make("figcaption", { title: caption }, caption), axes);
    if (sound) {
      const player = make("audio", { controls: "", preload: "none", src: sound, "aria-label": description });
      player.addEventListener("play", () => { stopOthers(player); mark(name); });
      made.append(player);
    }
    return made;
  }

  const exemplars = () => (chosen && data.natural[chosen.target]) || [];
  const named = (name) => document.querySelector(`figure[data-sound="${CSS.escape(name)}"]`);
  const player = (name) => named(name)?.querySelector("audio");

  function stopOthers(playing) {
    for (const other of document.querySelectorAll("audio")) if (other !== playing) other.pause();
  }

  function mark(name) {
    current = name;
    for (const each of document.querySelectorAll("figure")) each.classList.toggle("current", each.dataset.sound === name);
  }

  function choose(draw, focus = false) {
    stopOthers(null);
    buttons.get(chosen)?.setAttribute("aria-pressed", "false");
    buttons.get(chosen)?.setAttribute("tabindex", "-1");
    chosen = draw;
    natural = 0;
    byId("chosen").hidden = !draw;
    if (!draw) return;
    const button = buttons.get(draw);
    button.setAttribute("aria-pressed", "true");
    button.setAttribute("tabindex", "0");
    if (focus) button.focus({ preventScroll: true });
    button.scrollIntoView({ block: "nearest", inline: "nearest" });
    const what = `${draw.target}, ${draw.set}, draw ${draw.number}`;
    byId("chosen-heading").textContent = what;
    byId("sounds").replaceChildren(
      figure("before", "Before (b)", draw.before.picture, `Before: ${what}`, draw.before.sound),
      figure("after", "After (a)", draw.after.picture, `After: ${what}`, draw.after.sound),
      figure("difference", "After minus before", draw.difference, `After minus before: ${what}`, null),
    );
    byId("sounds").append(...exemplars().map((each, index) => figure(
      `natural-${index}`, `Natural (n): ${each.token}`, each.picture,
      `Natural exemplar of ${draw.target}: ${each.token}, ${each.speaker}`, each.sound)));
    showJudgements(draw);
    showFacts(draw);
    mark(player(current) ? current : "after");
    history.replaceState(null, "", `#${encodeURIComponent(draw.id)}`);
  }

  function showJudgements(draw) {
    const rows = draw.judged.map((each) => make("tr", each.response === draw.target ? { class: "target" } : {},
      make("td", {}, each.judge), make("td", {}, each.response),
      make("td", { class: "number" }, each.score === null ? "none" : each.score.toFixed(3))));
    if (!rows.length) rows.push(make("tr", {}, make("td", { colspan: "3", class: "missing" }, "Nobody has judged it yet.")));
    document.querySelector("#judgements tbody").replaceChildren(...rows);
  }

  function showFacts(draw) {
    const facts = [["start", draw.start], ["seed", draw.seed], ...draw.facts];
    const shown = facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
    if (draw.command) shown.push(make("dt", {}, "made again by"), make("dd", {}, make("code", {}, draw.command)));
    byId("facts").replaceChildren(...shown);
  }

  // Filters hide buttons and the rows that have none left.
  function passes(draw) {
    const judge = byId("filter-judge").value;
    const heard = byId("filter-heard").value;
    const asked = draw.judged.filter((each) => !judge || each.judge === judge);
    return (!byId("filter-target").value || draw.target === byId("filter-target").value)
      && (!byId("filter-set").value || draw.set === byId("filter-set").value)
      && (!judge || asked.length > 0)
      && (!heard || asked.some((each) => (each.response === draw.target) === (heard === "target")));
  }

  function filter() {
    let shown = 0;
    for (const [draw, made] of buttons) {
      made.hidden = !passes(draw);
      if (!made.hidden) shown += 1;
    }
    for (const row of document.querySelectorAll("#draws tbody tr")) row.hidden = !row.querySelector("button:not([hidden])");
    byId("count").textContent = `${shown} of ${data.draws.length} draws`;
    if (!chosen || buttons.get(chosen).hidden) choose(visible()[0] ?? null);
  }

  const visible = () => [...buttons.keys()].filter((draw) => !buttons.get(draw).hidden);

  // Left and right go through a row, up and down keep to the column as nearly as they can.
  function move(key) {
    const rows = data.targets.map((target) => visible().filter((draw) => draw.target === target)).filter((row) => row.length);
    const y = rows.findIndex((row) => row.includes(chosen));
    if (y < 0) return;
    const x = rows[y].indexOf(chosen);
    if (key === "ArrowLeft" || key === "ArrowRight") {
      choose(rows[y][Math.min(rows[y].length - 1, Math.max(0, x + (key === "ArrowRight" ? 1 : -1)))], true);
    } else {
      const row = rows[Math.min(rows.length - 1, Math.max(0, y + (key === "ArrowDown" ? 1 : -1)))];
      choose(row.find((draw) => draw.set === chosen.set && draw.number === chosen.number)
        ?? row[Math.min(x, row.length - 1)], true);
    }
  }

  function play(name) {
    const found = player(name);
    if (!found) return;
    mark(name);
    found.currentTime = 0;
    found.play().catch((error) => { if (error.name !== "AbortError") throw error; });
  }

  function toggle() {
    const found = player(current);
    if (found && !found.paused) found.pause();
    else play(current);
  }

  function nextNatural() {
    if (!exemplars().length) return;
    play(`natural-${natural}`);
    natural = (natural + 1) % exemplars().length;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input, audio, summary")) return;
    const actions = { " ": toggle, a: () => play("after"), b: () => play("before"), n: nextNatural };
    const action = event.key.startsWith("Arrow") ? () => move(event.key) : actions[event.key];
    if (!action || !chosen) return;
    event.preventDefault();
    action();
  });

  function fill(id, values) {
    for (const value of values) byId(id).append(make("option", { value }, value));
    byId(id).addEventListener("change", filter);
  }

  drawTable();
  fill("filter-target", data.targets);
  fill("filter-set", data.sets);
  fill("filter-judge", data.judges);
  fill("filter-heard", []);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  filter();
  const asked = data.draws.find((draw) => `#${encodeURIComponent(draw.id)}` === location.hash);
  if (asked) choose(asked);
})();

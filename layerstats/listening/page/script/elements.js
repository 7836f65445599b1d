// Making what is shown. All text is set as text, so that no name, prompt or instruction can be taken for HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const texts = data.texts;
const screen = document.getElementById("screen");

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

// A text of the page with {name} filled in.
function say(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

function paragraphs(text) {
  return text.split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean).map((part) => make("p", {}, part));
}

function button(text, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

function submitButton(text = say("next")) {
  return make("button", { type: "submit", class: "main" }, text);
}

// A form whose answer goes on: what `submitted` does happens once.
function form(submitted, ...children) {
  const made = make("form", { novalidate: "" }, ...children);
  made.addEventListener("submit", (event) => { event.preventDefault(); submitted(made); });
  return made;
}

// Replace the screen; the heading gets the focus, so that a screen reader says where one is.
function showScreen(name, heading, ...children) {
  const title = make("h1", { tabindex: "-1" }, heading);
  screen.dataset.screen = name;
  screen.replaceChildren(title, ...children.filter((child) => child !== null));
  document.title = heading === data.title ? heading : `${heading} - ${data.title}`;
  window.scrollTo(0, 0);
  title.focus({ preventScroll: true });
}

function status(attributes = {}) {
  return make("p", { role: "status", class: "status", ...attributes });
}

function showProblem(heading, message, ...children) {
  leaveTrial();
  showScreen("problem", heading, make("p", { role: "alert", class: "problem" }, message), ...children);
}

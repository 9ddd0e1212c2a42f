// The search of the static site: the words as `manual/search.py` makes them, the weights as it reckoned them.
"use strict";

function stem(word, index) {
  if (/^[a-z]+$/.test(word)) {
    const ending = index.endings.find((each) => word.endsWith(each) && word.length - each.length >= 3);
    if (ending) word = word.slice(0, word.length - ending.length);
  }
  return Object.hasOwn(index.same, word) ? index.same[word] : word;
}

function words(text, index) {
  const found = new Set();
  for (const word of text.toLowerCase().match(/[a-z0-9]+(?:[-_.][a-z0-9]+)*/g) || []) {
    const parts = /[a-z]/.test(word) ? word.split(/[-_.]/) : [word];
    for (const each of parts.length > 1 ? [word, ...parts] : parts) {
      if (!index.stop.includes(each)) found.add(stem(each, index));
    }
  }
  return found;
}

function ask(question, index, most) {
  const scores = new Map();
  for (const word of words(question, index)) {
    for (const [number, weight] of Object.hasOwn(index.weights, word) ? index.weights[word] : []) {
      scores.set(number, (scores.get(number) || 0) + weight);
    }
  }
  const rounded = (number) => Math.round(scores.get(number) * 1000);
  return [...scores.keys()].sort((a, b) => rounded(b) - rounded(a) || a - b).slice(0, most);
}

// The page has the sentences, as the catalogue says them; `{question}` is the place of a value.
function said(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function show(question) {
  const index = window.bothwaysIndex;
  const found = ask(question, index, 10).map((number) => index.passages[number]);
  const state = document.getElementById("state");
  state.textContent = said(found.length ? state.dataset.found : state.dataset.none, { number: found.length, question });
  const list = document.getElementById("answers");
  list.replaceChildren(...found.map((each) => {
    const item = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: each.address, textContent: each.heading });
    const text = Object.assign(document.createElement("p"), { textContent: each.text });
    item.append(link);
    if (each.heading !== each.title) {
      item.append(" ", Object.assign(document.createElement("span"), { className: "muted", textContent: said(state.dataset.within, each) }));
    }
    item.append(text);
    return item;
  }));
}

const asked = new URLSearchParams(location.search).get("q");
if (asked) {
  document.getElementById("ask").value = asked;
  show(asked);
}

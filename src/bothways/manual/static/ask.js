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
    const parts = word.split(/[-_.]/);
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

function show(question) {
  const index = window.bothwaysIndex;
  const found = ask(question, index, 10).map((number) => index.passages[number]);
  document.getElementById("state").textContent = found.length
    ? `${found.length} passages about “${question}”, the best first.`
    : `No page has a word of “${question}”. Try other words, or an id like CSR-KEY-01.`;
  const list = document.getElementById("answers");
  list.replaceChildren(...found.map((each) => {
    const item = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: each.address, textContent: each.heading });
    const text = Object.assign(document.createElement("p"), { textContent: each.text });
    item.append(link);
    if (each.heading !== each.title) {
      item.append(" ", Object.assign(document.createElement("span"), { className: "muted", textContent: `in ${each.title}` }));
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

// Follows a study: server-sent events first, polling where they fail. Texts are set as text, never as markup.
(function () {
  "use strict";
  var box = document.querySelector(".live");
  if (!box) { return; }
  var state = document.getElementById("live-state");
  var list = document.getElementById("live-list");
  var offset = 0, over = false, failures = 0;

  function show(lines) {
    offset = lines.offset;
    lines.entries.forEach(function (entry) {
      var item = document.createElement("li");
      var name = document.createElement("b");
      name.textContent = entry.event;
      item.append(name, entry.text);
      list.prepend(item);
    });
    while (list.children.length > 100) { list.lastChild.remove(); }
    if (lines.entries.length) { state.textContent = lines.entries[lines.entries.length - 1].event; }
  }

  function finish() {
    if (over) { return; }
    over = true;
    state.textContent = box.dataset.done;
    fetch("fragments").then(function (answer) {
      return answer.ok ? answer.text() : null;
    }).then(function (text) {
      var page = text && new DOMParser().parseFromString(text, "text/html");
      if (page) { document.getElementById("fragments").replaceChildren.apply(document.getElementById("fragments"), page.body.childNodes); }
    });
  }

  function poll() {
    if (over) { return; }
    fetch("progress?after=" + offset).then(function (answer) {
      if (!answer.ok) { throw new Error(answer.status); }
      return answer.json();
    }).then(function (lines) {
      show(lines);
      if (lines.done) { finish(); } else { setTimeout(poll, lines.more ? 0 : 2000); }
    }).catch(function () {
      state.textContent = box.dataset.lost;
      setTimeout(poll, 5000);
    });
  }

  if (!window.EventSource) { poll(); return; }
  var source = new EventSource("events");
  source.addEventListener("progress", function (event) { failures = 0; show(JSON.parse(event.data)); });
  source.addEventListener("done", function () { source.close(); finish(); });
  source.onerror = function () {
    failures += 1;
    state.textContent = box.dataset.lost;
    if (failures >= 3 || source.readyState === EventSource.CLOSED) { source.close(); poll(); }
  };
})();

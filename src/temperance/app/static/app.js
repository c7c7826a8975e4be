// Makes the pages livelier; each works without it. Texts come from our own server and are parsed without running.
(function () {
  "use strict";

  function fill(goal, text) {
    var page = new DOMParser().parseFromString(text, "text/html");
    var open = Array.prototype.map.call(goal.querySelectorAll("details"), function (fold) { return fold.open; });
    goal.replaceChildren.apply(goal, Array.prototype.slice.call(page.body.childNodes));
    goal.querySelectorAll("details").forEach(function (fold, i) { fold.open = open[i] || false; });
    var said = document.getElementById("said"), words = goal.querySelector("[data-say]");
    if (said && words && said.textContent !== words.textContent) { said.textContent = words.textContent; }
  }

  // A live part: the server sends it anew whenever it has changed.
  document.querySelectorAll("[data-follow]").forEach(function (goal) {
    var source = new EventSource(goal.dataset.follow), came = false;
    source.addEventListener("part", function (event) { came = true; fill(goal, event.data); });
    source.addEventListener("done", function () {
      source.close();
      if (goal.dataset.follow !== "/events") { location.reload(); } else if (came) { goal.dataset.over = "1"; }
    });
  });

  // A form that answers while its fields move.
  document.querySelectorAll("form[data-live]").forEach(function (form) {
    var goal = document.querySelector(form.dataset.live), waiting = 0, asked = 0;
    function ask() {
      var number = asked += 1;
      fetch(form.action, { method: "POST", body: new FormData(form), headers: { "x-part": "answer" } })
        .then(function (answer) { return answer.text(); })
        .then(function (text) { if (number === asked) { fill(goal, text); } })
        .catch(function () { goal.textContent = "The app does not answer. Was it stopped?"; });
    }
    form.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(ask, 200); });
    form.querySelectorAll("input[data-for]").forEach(function (slider) {
      var box = document.getElementById(slider.dataset.for);
      slider.hidden = false;
      slider.addEventListener("input", function () { box.value = slider.value; });
      box.addEventListener("input", function () { slider.value = box.value; });
    });
    form.addEventListener("submit", function (event) { event.preventDefault(); ask(); });
    ask();
  });

  // A button that was pressed says so, and is not pressed twice.
  document.querySelectorAll("form:not([data-live])").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "1";
      var button = event.submitter;
      if (button && button.dataset.busy) { button.setAttribute("aria-disabled", "true"); button.textContent = button.dataset.busy; }
    });
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted) { location.reload(); } });
})();

document.querySelectorAll("table.sortable").forEach(function (table) {
  table.querySelectorAll("thead th").forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("thead th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var body = table.tBodies[0];
      Array.from(body.rows).sort(function (a, b) {
        var x = a.cells[column], y = b.cells[column], order;
        if (x.dataset.order !== undefined && y.dataset.order !== undefined) order = x.dataset.order - y.dataset.order;
        else order = x.textContent.localeCompare(y.textContent);
        return up ? order : -order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});
var filter = document.getElementById("filter");
if (filter) {
  filter.hidden = false;
  filter.addEventListener("input", function () {
    var words = filter.value.toLowerCase().split(/\s+/);
    document.querySelectorAll("#stage-list tbody tr").forEach(function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.includes(word); });
    });
  });
}
document.querySelectorAll(".browse").forEach(function (box) {
  var list = box.querySelector(".items"), tools = box.querySelector(".tools"), told = box.querySelector("output");
  var search = box.querySelector("input"), order = box.querySelector(".order");
  var choices = Array.from(box.querySelectorAll("select[data-field]"));
  var items = Array.from(list.children).map(function (element) {
    var data = element.dataset;
    return { element: element, data: data, text: data.text.toLowerCase(), units: data.units.split(" "), fits: true };
  });
  tools.hidden = false;
  function tell(shown) { told.textContent = shown + " of " + items.length + " " + box.dataset.noun; }
  // Taking cards out is ten times as quick as hiding them; rows stay, since their table sorts them itself.
  function show() {
    var fitting = items.filter(function (item) { return item.fits; });
    if (order) list.replaceChildren.apply(list, fitting.map(function (item) { return item.element; }));
    else items.forEach(function (item) { item.element.hidden = !item.fits; });
    tell(fitting.length);
  }
  function apply() {
    var words = search.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    // Several numbers mean any of these units; several words belong to one label.
    var numbers = words.filter(function (word) { return /^\d+$/.test(word); });
    words = words.filter(function (word) { return !/^\d+$/.test(word); });
    items.forEach(function (item) {
      item.fits = words.every(function (word) { return item.text.includes(word); })
        && (!numbers.length || numbers.some(function (number) { return item.units.includes(number); }))
        && choices.every(function (choice) { return !choice.value || item.data[choice.dataset.field] === choice.value; });
    });
    show();
  }
  function arrange() {
    var sign = order.value[0] === "-" ? -1 : 1, field = order.value.slice(1);
    items.sort(function (a, b) {
      var x = a.data[field], y = b.data[field];
      return sign * (field === "text" ? !x - !y || x.localeCompare(y) : x - y) || b.data.iou - a.data.iou;
    });
    show();
    list.scrollTop = 0;
  }
  search.addEventListener("input", apply);
  choices.forEach(function (choice) { choice.addEventListener("change", apply); });
  if (order) order.addEventListener("change", arrange);
  tell(items.length);
});

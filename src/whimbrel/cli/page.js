(function () {
  function size(frame) {
    try {
      var page = frame.contentDocument;
      if (page && frame.offsetParent !== null) frame.style.height = Math.min(page.body.getBoundingClientRect().height + 4, 1600) + 'px';
    } catch (refused) { frame.style.height = '480px'; }
  }
  function sizeAll() { document.querySelectorAll('details[open] iframe').forEach(size); }
  document.querySelectorAll('iframe').forEach(function (frame) { frame.addEventListener('load', function () { size(frame); }); });
  document.addEventListener('toggle', sizeAll, true);
  document.addEventListener('change', sizeAll);
  window.addEventListener('resize', sizeAll);
  function open() {
    var node = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (node && node.tagName === 'DETAILS') { node.open = true; node.scrollIntoView(); }
  }
  window.addEventListener('hashchange', open);
  var filter = document.getElementById('filter');
  if (filter) filter.addEventListener('input', function () {
    var wanted = filter.value.toLowerCase();
    document.querySelectorAll('details.node').forEach(function (node) {
      node.hidden = wanted !== '' && node.dataset.words.indexOf(wanted) < 0;
    });
  });
  open(); sizeAll(); window.addEventListener('load', sizeAll);
})();

// Before anything is painted: the theme and the language that this device keeps in cookies (the pages set them too).
(function () {
  function cookie(name) {
    var found = document.cookie.match(new RegExp("(?:^|; )" + name + "=([^;]*)"));
    return found ? found[1] : "";
  }
  var theme = cookie("teahouse_theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  var locale = cookie("teahouse_locale");
  if (locale === "zh-CN") document.documentElement.lang = locale;
})();

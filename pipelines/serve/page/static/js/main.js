// The start of every page: the tools of the header, the banner, and the page itself.

import { fillHeader } from "./shell/header.js";
import { watchBanner } from "./shell/banner.js";
import { watchFigures } from "./lib/told.js";

const main = document.getElementById("main");
fillHeader(document.getElementById("tools"));
watchBanner(document.getElementById("banner"));
watchFigures();
const page = await import(`./pages/${main.dataset.page}.js`);
page.open(main);

// A page of texts that are complete already: they get their formulas and colours.

import { enhance } from "./enhance.js";

enhance(document.getElementById("main"));

// A battle that somebody shares: its answers get their formulas and colours.

import { enhance } from "./enhance.js";

enhance(document.getElementById("main"));

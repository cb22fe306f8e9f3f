"""The demo's fortnight: recorded answers of the whole cast and votes whose truth is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from arena.demo.material import Material, load_materials
from arena.demo.render import render
from arena.demo.world import (
    GAMMA,
    POSITION,
    PUBLISHED_AT,
    REVISIONS,
    RIGGED,
    SIBLING,
    STARTED_AT,
    VARIANT,
    Revision,
    planted_substance,
    planted_theta,
)
from ranking.covariates import CONTROLS, METRICS, pair_difference, style_metrics

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

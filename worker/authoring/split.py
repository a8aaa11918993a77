"""Split: a table into a part for training and a part for the test."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, StrictFloat, StrictInt, model_validator

from worker.authoring.extras import need
from worker.authoring.message import DataMsg
from worker.authoring.node import Node, need_message
from worker.errors import ConfigError, Problem
from worker.nodes.base import Params

Share = Annotated[StrictFloat, Field(gt=0, lt=1)] | Annotated[StrictInt, Field(ge=1)]
PARTS = ("train", "test")


class SplitParams(Params):
    """The size of one part, as a share or a count of rows, and what the draw begins with."""

    train_size: Share | None = None
    test_size: Share | None = None
    seed: Annotated[StrictInt, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one(self) -> SplitParams:
        if self.train_size is None and self.test_size is None:
            raise ValueError("give train_size or test_size, such as 0.7")
        shares = [size for size in (self.train_size, self.test_size) if isinstance(size, float)]
        if sum(shares) > 1 + 1e-9:  # 0.7 and 0.3 may add up to a little more than they say
            raise ValueError("train_size and test_size are more than the whole")
        return self


class Split(Node):
    """Draws the rows of two parts; the index gets a first level, ``train`` or ``test``.

    ``msg.data.xs("train")`` is the part for training, its rows in the order they had. The same
    rows and the same ``seed`` give the same parts. A share of the training part is rounded down,
    one of the test part up; what one part leaves is the other's.
    """

    kind = "Split"
    Params = SplitParams
    EXAMPLE: ClassVar = {"train_size": 0.7, "seed": 1}

    def _process(self, msg: DataMsg | None) -> DataMsg:
        message = need_message(msg)
        frame, params = message.frame, self.checked()
        n = len(frame)
        train, test = _sizes(n, params.train_size, params.test_size)
        drawn = np.random.default_rng(params.seed).permutation(n)
        parts = [np.sort(drawn[:train]), np.sort(drawn[train : train + test])]
        names = ["split", *(frame.index.names)]
        pandas = need("pandas")
        return message.with_data(
            pandas.concat([frame.iloc[rows] for rows in parts], keys=PARTS, names=names)
        )


def _sizes(n: int, train: float | None, test: float | None) -> tuple[int, int]:
    """Rows of each part.

    Raises:
        ConfigError: a part would be empty, or both need more rows than there are.
    """
    n_test = None if test is None else (math.ceil(test * n) if isinstance(test, float) else test)
    n_train = None
    if train is not None:
        n_train = math.floor(train * n) if isinstance(train, float) else train
    if n_train is None:
        n_train = n - (n_test or 0)
    if n_test is None:
        n_test = n - n_train
    if n_train < 1 or n_test < 1 or n_train + n_test > n:
        parts = f"{max(n_train, 0)} for training and {max(n_test, 0)} for the test"
        hint = "a share is below 1, such as 0.7; from 1 on a size counts rows"
        raise ConfigError(Problem("data", f"{n} rows cannot be split into {parts}; {hint}"))
    return n_train, n_test

"""Options that several commands share, with their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Purpose(StrEnum):
    """What data are used for, as ``governance.licence`` names it."""

    research = "research"
    commercial = "commercial"
    publish = "publish"


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value to standard output, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no words; errors are still said.")]
DATA_HELP = (
    "A table (CSV, Parquet, Excel, JSON, Arrow, ARFF, SQLite, DuckDB, .npz; packed or not), a folder of Parquet files, "
    "a folder with one folder of images per class, or the name of a bundled set (breast_cancer, diabetes, digits, "
    "iris, wine)."
)
BUDGET_HELP = "Time for the whole command (90s, 10m, 1h; at least 20s), a count (12trials), or 1run."
Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP)]
BundleFolder = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="A bundle, or the folder of the study that wrote it.")
]
MODEL_HELP = (
    "A bundle or a study's folder, FILE.onnx, module:function, FILE.skops, http://127.0.0.1:PORT, or predictions as "
    "FILE.csv or FILE.parquet."
)
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)]
Target = Annotated[
    str | None,
    typer.Option("--target", metavar="COL", help="The column to predict. Bundled sets and image folders know theirs."),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="COL",
        help="The column to predict; repeat it, or write a,b, for several. Bundled sets and image folders know theirs.",
    ),
]
Test = Annotated[
    str | None,
    typer.Option("--test", metavar="FILE", help="A second file as the test set; else 20 % of the rows."),
]
Task = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="TASK",
        help="auto, classification, multilabel, ordinal, regression, counts, or module:function (your PyTorch net).",
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group", metavar="COL", help="Rows with the same value here stay together, e.g. one patient's rows."
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        "--time",
        metavar="COL",
        help="Split by this time: the latest rows are the test. Several columns: year+month+day.",
    ),
]
SeriesId = Annotated[
    str | None,
    typer.Option("--id", metavar="COL", help="Rows with the same value here are one series, in the order of --time."),
]
Lags = Annotated[
    str | None,
    typer.Option("--lags", metavar="STEPS", help="Forecast: the target so many steps before is an input, e.g. 1,24."),
]
Horizon = Annotated[
    int | None, typer.Option("--horizon", min=1, metavar="STEPS", help="Steps ahead; no lag is shorter. Default: 1.")
]
By = Annotated[
    str | None, typer.Option("--by", metavar="COL", help="With --lags: the column that tells several series apart.")
]
Weight = Annotated[
    str | None,
    typer.Option("--weight", metavar="COL", help="How much each row counts: in training, in the choice, in figures."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="COL=HOW",
        help="How a column is read: 'price=number,decimal=,', 'zip=category', 'day=date,pattern=%d/%m/%Y'; repeatable.",
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="COL", help="Use this column although it looks like an identifier; repeatable."),
]
Drop = Annotated[list[str] | None, typer.Option("--drop", metavar="COL", help="Leave this column out; repeatable.")]
NaValues = Annotated[
    str | None,
    typer.Option("--na-values", metavar="WORDS", help="What means missing, and nothing else, e.g. '-999,unknown'."),
]
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="Sheet of a workbook, table of a database, or file in a zip."),
]
Sep = Annotated[
    str | None, typer.Option("--sep", metavar="SIGN", help="What separates the fields of a text file: ';', tab, space.")
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", metavar="FILE", help="How columns are read; `temperance audit --write-schema` writes it."),
]
RowsInMemory = Annotated[
    int | None,
    typer.Option(
        "--rows-in-memory", min=100, metavar="N",
        help="Read at most N rows of a table, a uniform sample of them all; else as many as memory holds well.",
    ),
]  # fmt: skip
Costs = Annotated[
    list[str] | None,
    typer.Option(
        "--cost",
        metavar="TRUE->ANSWERED=COST",
        help="What mistakes cost: 'yes->no=10,no->yes=1'; others 1. Answers then cost least; repeatable.",
    ),
]
Interval = Annotated[
    float | None,
    typer.Option(
        "--interval",
        metavar="SHARE",
        help="For numbers: `low` to `high` hold the truth for this share, e.g. 0.8.",
        show_default="0.9",
    ),
]
REQUIRE_HELP = "Bounds, e.g. 'accuracy>=0.9,ece<=0.05,robust@0.1>=0.6'; a figure that is not measured fails."
BY_HELP = "What is held against a bound: the cautious end of its interval, or the value itself."
Require = Annotated[str | None, typer.Option("--require", metavar="BOUNDS", help=REQUIRE_HELP)]
Uses = Annotated[
    Path | None,
    typer.Option("--uses", metavar="FILE", help="Count in this file how often the test rows were opened, and say it."),
]
Once = Annotated[
    bool, typer.Option("--once", help="With --uses: refuse rows that were opened before for another model.")
]
Rules = Annotated[
    Path | None,
    typer.Option("--rules", metavar="FILE", help="Attack only within these rules of columns (see --write-rules)."),
]
VettedTask = Annotated[
    str,
    typer.Option(
        "--task", metavar="TASK", help="auto, classification, ordinal, regression or counts; a bundle knows its own."
    ),
]
VettedGroup = Annotated[
    str | None,
    typer.Option("--group", metavar="COL", help="Rows of one group count together, and each group is told apart."),
]
VettedTime = Annotated[
    str | None, typer.Option("--time", metavar="COL", help="Compare the latest rows with the earlier ones.")
]
VettingBudget = Annotated[
    str | None, typer.Option("--budget", metavar="TIME", help="Leave out what would take longer, and name it: 30s, 5m.")
]
Aspects = Annotated[
    list[str] | None,
    typer.Option("--aspect", metavar="NAME", help="Ask this aspect, not the suite's; repeatable."),
]
Licence = Annotated[
    str | None,
    typer.Option(
        "--licence",
        metavar="SPDX",
        help="Licence of the data, e.g. CC-BY-4.0; else looked for beside the file (FILE.license, README.md …).",
    ),
]
Use = Annotated[
    Purpose | None, typer.Option("--use", help="What the data are to be used for: does the licence allow it?")
]
Language = Annotated[str, typer.Option("--language", metavar="CODE", help="Language of the report: en or de.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to write.")]
Budget = Annotated[str, typer.Option("--budget", metavar="TIME", help=BUDGET_HELP)]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, metavar="N", help="Processes that train; else as cores are free."),
]
Device = Annotated[str, typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1 or mps.")]

"""What stands at the end of each ``--help``: one to three commands as people type them."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "app": ("temperance app", "temperance app --dir studies --port 8100"),
    "study": (
        "temperance study churn.csv --target churned --budget 10m --out churn",
        "temperance study iris --budget 1run",
        "temperance study --resume churn --budget 5m",
    ),
    "demo": ("temperance demo", "temperance demo --budget 90s --out demo"),
    "audit": ("temperance audit iris", "temperance audit churn.csv --target churned --write-schema churn.toml"),
    "evaluate": (
        "temperance evaluate churn/bundle march.csv --suite standard",
        "temperance evaluate mynet:model march.csv --target churned --out march",
        "temperance evaluate answers.csv march.csv --target churned",
    ),
    "compare": ("temperance compare churn-new/bundle churn/bundle march.csv --metric log_loss",),
    "gate": (
        "temperance gate churn/bundle march.csv --require 'accuracy>=0.9,ece<=0.05'",
        "temperance gate model.onnx march.csv --target churned --require 'accuracy>=0.85' --by point",
    ),
    "export": (
        "temperance export churn --trial t004 --out churn/small",
        "temperance export churn --to mlflow",
    ),
    "predict": (
        "temperance predict churn/bundle new.csv",
        "temperance predict churn/bundle new.csv --out answers.parquet",
    ),
    "serve": ("temperance serve churn/bundle --port 8000", "temperance serve churn/bundle --level shadow"),
    "retrain": ("temperance retrain churn/bundle march.csv --target churned --budget 2m --out churn-march",),
    "techniques": ("temperance techniques", "temperance techniques Dropout"),
    "presets": ("temperance presets", "temperance presets small-data"),
    "price": ("temperance price SAM,EMA --steps 20", "temperance price --data churn.csv --target churned"),
    "report": ("temperance report churn --language de",),
    "doctor": ("temperance doctor", "temperance doctor --json"),
}


def epilog(name: str) -> str | None:
    """Return the examples of a command as click prints them; None where it has none.

    Args:
        name: of the command.

    """
    lines = EXAMPLES.get(name)
    return None if lines is None else "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])

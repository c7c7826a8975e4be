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
    "audit": (
        "temperance audit iris",
        "temperance audit churn.csv --target churned --against benchmark.csv --out audit --write-schema churn.toml",
        "temperance audit churn.csv --target churned --licence CC-BY-NC-4.0 --use commercial",
    ),
    "evaluate": (
        "temperance evaluate churn/bundle march.csv --write-rules rules.toml",
        "temperance evaluate churn/bundle march.csv --suite standard --rules rules.toml",
        "temperance evaluate mynet:model march.csv --target churned --out march",
    ),
    "compare": ("temperance compare churn-new/bundle churn/bundle march.csv --metric log_loss",),
    "gate": (
        "temperance gate churn/bundle march.csv --require 'accuracy>=0.9,ece<=0.05'",
        "temperance gate model.onnx march.csv --target churned --require 'accuracy>=0.85' --by point",
    ),
    "export": (
        "temperance export churn --target edge --max-drop 0.5%",
        "temperance export churn --trial t004 --out churn/small",
        "temperance export churn --to mlflow",
    ),
    "predict": (
        "temperance predict churn/bundle new.csv",
        "temperance predict churn/bundle new.csv --out answers.parquet",
    ),
    "serve": (
        "temperance serve churn/bundle --port 8000",
        "temperance serve churn/bundle --level shadow --workers 2",
    ),
    "retrain": (
        "temperance retrain churn/bundle march.csv --target churned --budget 2m --out churn-march",
        "temperance retrain churn/bundle march.csv --champion-data churn.csv",
    ),
    "stream": (
        "temperance stream electricity.csv --time moment --target up --delay 500",
        "temperance stream rides.parquet --time day --target count --fast",
    ),
    "registry": (
        "temperance registry add models churn/bundle --alias champion",
        "temperance registry rollback models --alias champion",
        "temperance registry list models",
    ),
    "techniques": ("temperance techniques", "temperance techniques Dropout"),
    "presets": ("temperance presets", "temperance presets small-data"),
    "price": ("temperance price SAM,EMA --steps 20", "temperance price --data churn.csv --target churned"),
    "report": ("temperance report churn --language de",),
    "share": ("temperance share churn --out churn-shared",),
    "sign": ("temperance sign churn/bundle --new-key mine", "temperance sign churn/bundle --key mine"),
    "verify": (
        "temperance verify churn/bundle --key mine.pub",
        "temperance verify churn-shared --replay --data churn.csv",
    ),
    "doctor": ("temperance doctor", "temperance doctor --json"),
}


def epilog(name: str) -> str | None:
    """Return the examples of a command as click prints them; None where it has none.

    Args:
        name: of the command.

    """
    lines = EXAMPLES.get(name)
    return None if lines is None else "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])

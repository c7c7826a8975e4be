from pathlib import Path
LEDGER = Path(__file__).parent.parent / "records" / "headroom.jsonl"
def write(): pass

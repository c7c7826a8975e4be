"""Find the line with the names of the columns: titles above it, groups above the names, names that stand twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def looks_like_data(names: Sequence[str]) -> bool:
    """Tell whether a header looks like a row of data: a quarter of its names or more are numbers."""
    return 4 * sum(is_number(name) for name in names) >= len(names)


def is_number(field: str) -> bool:
    """Tell whether a field is a number in the plain style."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def names_groups(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row names groups of columns and the second one the columns."""
    if len(rows) < 3 or len({len(row) for row in rows[:3]}) > 1:
        return False
    groups, names, data = ([field.strip() for field in row] for row in rows[:3])
    odd = len(set(groups)) < len(groups) or "" in groups
    return odd and _all_names(names) and any(map(is_number, data)) and not any(map(is_number, groups))


def is_title(row: Sequence[str], below: Sequence[Sequence[str]], usual: int) -> bool:
    """Tell whether a line with separators is a title: the names, as many as the rows have fields, stand below it."""
    if len(row) == usual or len(below) < 2 or len(below[0]) != usual or len(below[1]) != usual:
        return False
    return _all_names([field.strip() for field in below[0]]) and any(map(is_number, below[1]))


def _all_names(fields: Sequence[str]) -> bool:
    return all(field[:1].isalpha() for field in fields) and len(set(fields)) == len(fields)


def named(fields: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a name of its own for each column, and sentences on those that had none."""
    names = [" ".join(field.split()) for field in fields]
    names[0] = names[0].lstrip("#").strip() if len(names) > 1 else names[0]
    notes = []
    for position, field in enumerate(names):
        if not field:
            names[position] = f"column_{position + 1}"
            notes.append(f"Column {position + 1} has no name; it is called {names[position]!r}.")
    if len(notes) > 3:
        notes = [f"{len(notes)} columns have no name; they are called by their position, such as 'column_1'."]
    counts, seen = Counter(names), Counter[str]()
    for position, field in enumerate(names):
        seen[field] += 1
        if seen[field] > 1:
            other = f"{field}_{seen[field]}"
            while other in counts:
                other += "_"
            names[position] = other
            notes.append(f"The name {field!r} stands more than once; column {position + 1} is called {other!r}.")
    return names, notes

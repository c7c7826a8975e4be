"""A command whose options are given once: the last of two would else be taken without a word."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class Once(TyperCommand):
    """Refuses an option that takes one value and was given two."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as ever, after looking for repeated options; ends with status 2 where there is one."""
        told = args[: args.index("--")] if "--" in args else args
        for param in self.get_params(ctx):
            if param.param_type_name != "option" or param.multiple or param.is_flag:  # type: ignore[attr-defined]
                continue
            names = [name for name in param.opts if name.startswith("--")]
            if sum(word.split("=", 1)[0] in names for word in told) > 1:
                ctx.fail(f"{names[0]} was given twice; it takes one value. Leave one of them out.")
        return super().parse_args(ctx, args)

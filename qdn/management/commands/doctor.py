from typing import Any

from qdn.console import OperatorCommand
from qdn.doctor import examine


class Command(OperatorCommand):
    help = "Look at everything the system needs and say what to do about each fault."
    changes_something = False

    def run(self, **options: Any) -> list[dict[str, Any]]:
        rows = [
            {
                "check": one.name,
                "ok": one.ok,
                "message": one.message,
                "hint": "" if one.ok else one.hint,
            }
            for one in examine()
        ]
        self.table(
            ["check", "", "found", "what to do"],
            [
                [row["check"], "ok" if row["ok"] else "FAULT", row["message"], row["hint"]]
                for row in rows
            ],
            empty="Nothing was looked at.",
        )
        return rows

    def fault(self, result: list[dict[str, Any]]) -> str:
        faults = sum(not row["ok"] for row in result)
        return f"Found {faults} of {len(result)} checks at fault." if faults else ""

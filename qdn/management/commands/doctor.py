from typing import Any

from deployments.wording import plural
from qdn.console import OperatorCommand
from qdn.doctor import examine


class Command(OperatorCommand):
    help = "Check everything the system depends on and say how to fix each fault."
    changes_something = False

    def run(self, **options: Any) -> list[dict[str, Any]]:
        found = examine()
        self.table(
            ["check", "", "found", "what to do"],
            [
                [one.name, "ok" if one.ok else "FAULT", one.message, "" if one.ok else one.hint]
                for one in found
            ],
            empty="Nothing was checked.",
        )
        return [
            {
                "check": one.name,
                "ok": one.ok,
                "message": one.message,
                "hint": "" if one.ok else one.hint,
            }
            for one in found
        ]

    def fault(self, result: list[dict[str, Any]]) -> str:
        faults = sum(not row["ok"] for row in result)
        checks = plural(len(result), "check")
        return f"{plural(faults, 'fault')} in {checks}." if faults else ""

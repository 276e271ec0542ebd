"""An operator loses the history and rebuilds it from the bucket."""

from deployments.models import Environment
from tests.deployments.losing import lose_history, rows


def test_history_comes_back_and_the_edge_agrees(shop):
    first = shop.push("A")
    shop.promote()
    shop.push("B")
    shop.promote()
    before = rows()
    lose_history()
    done = shop.run("rebuild_history")
    assert (done["releases"], done["deployments"], done["environments"]) == (2, 4, 2)
    assert rows() == before
    assert [row["drift"] for row in shop.run("verify")] == [[], []]
    assert Environment.objects.get(name="production").distributions.exists()
    assert shop.run("rollback", "--yes")["release"] == first
    assert shop.served("localhost") == {first}

from qdn.management.commands import pin


class Command(pin.Command):
    help = "Unpin a release: prune may remove it again."
    pinned = False

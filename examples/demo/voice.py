"""How the demo speaks."""

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def act(title: str) -> None:
    """A new part of the story."""
    console.print(f"\n[bold cyan]── {title}[/]")


def tell(text: str) -> None:
    """A sentence of the story."""
    console.print(f"   {text}")


def command(text: str) -> None:
    """What a person would type to do the same."""
    console.print(f"   [dim]$ {text}[/]", soft_wrap=True)


def good(text: str) -> None:
    """Something went as it should."""
    console.print(f"   [green]✔[/] {text}")


def bad(text: str) -> None:
    """Something was stopped, as it should be."""
    console.print(f"   [red]✘[/] {text}")

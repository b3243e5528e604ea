"""`teahouse openapi`: the file is what the program says."""

from pathlib import Path

from typer.testing import CliRunner

from app.cli.main import app


def test_check_passes_what_it_wrote_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "openapi.json"
    run = CliRunner()
    assert run.invoke(app, ["openapi", "--check", "--to", str(file)]).exit_code == 1
    assert run.invoke(app, ["openapi", "--to", str(file)]).exit_code == 0
    assert run.invoke(app, ["openapi", "--check", "--to", str(file)]).exit_code == 0
    content = file.read_text()
    assert content.endswith("}\n")
    file.write_text(content.replace("Teahouse", "Coffeehouse", 1))
    result = run.invoke(app, ["openapi", "--check", "--to", str(file)])
    assert result.exit_code == 1
    assert "Run `teahouse openapi`" in result.stderr

"""Job files: what they may hold, what they are refused for, and what they run."""

import textwrap
from pathlib import Path

import pandas as pd
import pytest

from tsformers.bundled import shipped_folder, shipped_names
from tsformers.errors import DataError, JobError
from tsformers.jobs.data_table import read_data
from tsformers.jobs.job_file import find_job, read_job, run_job
from tsformers.reproduction.dispatch import read_published
from tsformers.toml_tables import job_kind, read_toml

HEAD = '[data]\ndataset = "nile"\n[backtest]\nhorizon = 3\nwindows = 2\nmetrics = ["mae"]\nn_samples = 5\n'
NAIVE = '[models.naive]\nclass = "SeasonalNaive"\n'
KINDS: dict[str | None, list[str]] = {}
for shipped in shipped_names("pipelines"):
    KINDS.setdefault(job_kind(read_toml(shipped_folder("pipelines") / f"{shipped}.toml")), []).append(shipped)


@pytest.fixture
def job(tmp_path):
    """Writes a job file and returns its path."""

    def write(text: str, name: str = "mine.toml") -> Path:
        (tmp_path / name).write_text(textwrap.dedent(text))
        return tmp_path / name

    return write


def test_a_job_gives_scores_and_a_report_in_its_folder(job, tmp_path):
    result = run_job(job(HEAD + NAIVE), out=tmp_path / "run")
    assert list(result.ranking()["model"]) == ["naive"] and len(result.tables["failures"]) == 0
    assert result.settings.horizon == 3 and result.settings.n_samples == 5 and result.settings.metrics == ("mae",)
    assert (tmp_path / "run" / "report.html").read_text().lstrip().lower().startswith("<!doctype html")


def test_the_same_job_again_gives_the_same_numbers_from_what_is_there(job, tmp_path):
    path = job(HEAD + NAIVE)
    first, second = (run_job(path, out=tmp_path / "run").tables["scores"] for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_without_out_a_run_is_kept_under_the_name_of_the_job(job):
    assert read_job(job(HEAD + NAIVE)).out == Path("runs/mine")
    assert read_job(job(HEAD + 'out = "elsewhere"\n' + NAIVE)).out == Path("elsewhere")
    assert read_job(job(HEAD + 'out = "elsewhere"\n' + NAIVE), out="here").report == Path("here/report.html")


def test_scaled_scores_take_the_season_of_the_job_or_of_the_data_sets_recipe(job, tmp_path):
    text = HEAD.replace("nile", "co2").replace('"mae"', '"mase", "mae"') + NAIVE

    def mase(text: str, folder: str) -> tuple[float, int | None]:
        result = run_job(job(text), out=tmp_path / folder)
        scores = result.tables["scores"].groupby("metric")["value"].mean()
        return float(scores["mase"] / scores["mae"]), result.settings.season_length

    weekly, yearly = mase(text.replace("n_samples", "season_length = 1\nn_samples"), "one"), mase(text, "recipe")
    assert weekly[1] == 1 and yearly[1] is None  # the recipe's 52 is that of the frequency
    assert weekly[0] > 1.5 * yearly[0]  # one week changes less than one year
    assert read_job(job(text.replace("n_samples", "season_length = 9\nn_samples"))).models["naive"].season_length == 9
    assert run_job(job(HEAD.replace("nile", "sunspots") + NAIVE), out=tmp_path / "sun").settings.season_length is None
    with pytest.raises(ValueError, match="season_length"):
        run_job(job(text.replace("n_samples", "season_length = 0\nn_samples")), out=tmp_path / "zero")


@pytest.mark.parametrize("name", KINDS["backtest"])
def test_every_shipped_job_reads_and_its_models_can_be_made(name):
    checked = read_job(name)
    assert checked.table.title and checked.models
    assert {model.horizon for model in checked.models.values()} == {checked.table.backtest.horizon}


@pytest.mark.parametrize("name", shipped_names("pipelines"))
def test_every_shipped_file_is_read_by_the_command_of_its_kind_and_refused_by_the_other(name):
    is_backtest = name in KINDS["backtest"]
    right, wrong = (read_job, read_published) if is_backtest else (read_published, read_job)
    assert right(name).table.title
    with pytest.raises(JobError, match=f"`tsformers {'backtest' if is_backtest else 'reproduce'} {name}` runs it$"):
        wrong(name)


def test_kinds_of_shipped_files_follow_from_their_content():
    assert (
        KINDS["fdr"] == ["fdr_simulation"] and "quickstart" in KINDS["backtest"] and set(KINDS) == {"fdr", "backtest"}
    )


def test_a_job_may_state_that_it_is_a_backtest_and_no_other_kind(job):
    assert read_job(job('kind = "backtest"\n' + HEAD + NAIVE)).table.kind == "backtest"
    for kind in ("fdr", "long_horizon", "backtst"):
        with pytest.raises(JobError, match=f"kind '{kind}' is no backtest"):
            read_job(job(f'kind = "{kind}"\n' + HEAD + NAIVE))


@pytest.mark.parametrize("name", ["quickstart", "quickstart.toml", "pipelines/quickstart.toml"])
def test_shipped_jobs_are_found_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_job(name).is_file()


def test_a_file_of_the_users_own_comes_before_a_shipped_job(job, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job(HEAD + NAIVE, "quickstart")
    assert find_job("quickstart") == Path("quickstart")


def test_the_quickstart_needs_nothing_but_dependencies(monkeypatch):
    monkeypatch.delenv("TSFORMERS_DATA", raising=False)
    checked = read_job("quickstart")
    panel, lines = read_data(checked.table.data, checked.path)
    assert panel.n_series == 12 and panel.freq == "QS-JAN" and lines[0] == "read data set macrodata"
    assert {type(model).__name__ for model in checked.models.values()} == {
        "SeasonalNaive",
        "AutoETS",
        "Theta",
        "Blend",
        "Auto",
        "Autoformer",
    }


def test_the_season_of_a_data_set_reaches_models_whose_season_is_not_set(job):
    text = HEAD.replace("nile", "m3_monthly") + NAIVE + '[models.last]\nclass = "SeasonalNaive"\nseason_length = 1\n'
    models = read_job(job(text)).models
    assert models["naive"].season_length == 12 and models["last"].season_length == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data]\nx = 1\n[backtest]\nhorizon = 1\n[models]", "data has no key 'x'"),
        (HEAD + "horizont = 3\n" + NAIVE, "backtest has no key 'horizont'; did you mean 'horizon'"),
        (HEAD + NAIVE + "[detect]\n", "has no key 'detect'"),
        (HEAD.replace("horizon = 3", 'horizon = "3"') + NAIVE, "horizon = '3' must be a whole number"),
        (HEAD.replace("horizon = 3\n", "") + NAIVE, "backtest lacks 'horizon'"),
        (HEAD, "lacks 'models'"),
        (HEAD + "[models]\n", "there is no model"),
        (HEAD + "[models]\nnaive = 3\n", r"models.naive must be a table"),
        (HEAD + "[models.naive]\n", r"models.naive.class is missing"),
        (HEAD + '[models.naive]\nclass = "SeasonalNaiv"\n', "'SeasonalNaiv'; did you mean 'SeasonalNaive'"),
        (
            HEAD + NAIVE + "season = 4\n",
            "models.naive: SeasonalNaive has no setting 'season'; did you mean 'season_length'",
        ),
        (HEAD.replace("nile", "nlie") + NAIVE, "no data set is called 'nlie'; did you mean 'nile'"),
        (HEAD.replace('dataset = "nile"', "") + NAIVE, "either dataset or file"),
        (HEAD.replace('"nile"', '"nile"\nfile = "a.csv"') + NAIVE, "either dataset or file"),
        (HEAD.replace('dataset = "nile"', 'file = "a.csv"\nparts = ["test"]') + NAIVE, "parts chooses"),
        ("[data", "not a TOML file"),
    ],
)
def test_a_job_file_is_refused_by_file_and_key(job, text, message):
    path = job(text)
    with pytest.raises(JobError, match=message) as caught:
        read_job(path)
    assert str(path) in str(caught.value) or "nlie" in message


def test_for_a_job_that_is_missing_the_nearest_of_ours_is_named():
    with pytest.raises(JobError, match="did you mean 'quickstart'"):
        read_job("quikstart")


def test_a_file_of_data_is_found_beside_the_job_and_read_under_its_roles(job, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"shop": [7] * 12 + [8] * 12, "day": [*range(12)] * 2, "sold": 1.0, "price": 2.0})
    frame.to_parquet(tmp_path / "sales.parquet")
    data = '[data]\nfile = "sales.parquet"\nfreq = 1\nid_col = "shop"\ntime_col = "day"\ntarget_col = "sold"\n'
    checked = read_job(job(data + 'known = ["price"]\nseries = ["8"]\n[backtest]\nhorizon = 2\nwindows = 1\n' + NAIVE))
    panel, _ = read_data(checked.table.data, checked.path)
    schema = panel.schema
    assert panel.ids.tolist() == [8] and panel.freq == 1
    assert (schema.id_col, schema.time_col, schema.target_col, schema.known) == ("shop", "day", "sold", ("price",))
    assert len(checked.run().tables["failures"]) == 0


def test_parts_of_the_benchmark_split_can_be_left_out(job, shared, monkeypatch):
    monkeypatch.setenv("TSFORMERS_DATA", str(shared / "data"))
    checked = read_job("etth1_naive")
    panel, _ = read_data(checked.table.data, checked.path)
    assert len(panel.y) == 7 * 14400 and not panel.schema.past


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('series = ["nil"]', "data.series: 'nil' is not in the data; they have nile"),
        ('parts = ["tests"]', "data.parts: 'tests' is not in the data; they have test"),
    ],
)
def test_a_series_or_part_that_is_not_there_is_named(job, line, message):
    checked = read_job(job(HEAD.replace('"nile"', f'"nile"\n{line}') + NAIVE))
    with pytest.raises(JobError, match=message):
        checked.run()


def test_a_missing_file_of_data_is_named(job, tmp_path):
    checked = read_job(job(HEAD.replace('dataset = "nile"', 'file = "gone.csv"') + NAIVE))
    with pytest.raises(DataError, match=r"gone\.csv: there is no such file"):
        checked.run()


def test_a_plug_in_is_named_like_any_other_class(job, plugin, tmp_path):
    path = job(HEAD + '[models.mine]\nclass = "level"\nlevel = 5.0\n')
    result = run_job(path, out=tmp_path / "run", plugins=[plugin])
    assert set(result.tables["forecasts"]["mean"]) == {5.0}
    with pytest.raises(JobError, match="Level has no setting 'lvel'; did you mean 'level'"):
        read_job(job(HEAD + '[models.mine]\nclass = "level"\nlvel = 5.0\n'), plugins=[plugin])


PIPED = """
[[preprocess]]
class = "TrendSeasonalDecomposition"
period = 5

[models.naive]
class = "SeasonalNaive"
preprocess = []

[models.theta]
class = "Theta"

[models.adjusted]
class = "Theta"
preprocess = [{class = "Scale", method = "robust"}, {class = "AutocorrelatedErrors", most_rounds = 1}]

[models.clustered]
class = "Clustered"
forecaster = {class = "SeasonalNaive"}
clusterer = {class = "ByFeatures", order = 2, clusterer = {class = "KMeans", n_clusters = 1, random_state = 0}}

[models.both]
class = "Ensemble"
models = [{class = "SeasonalNaive"}, {class = "Theta"}]
preprocess = []
"""


def test_a_job_puts_preprocessors_before_its_models_and_models_into_models(job):
    models = read_job(job(HEAD + PIPED)).models
    assert {name: type(model).__name__ for name, model in models.items()} == {
        "naive": "SeasonalNaive", "theta": "Pipeline", "adjusted": "Pipeline", "clustered": "Pipeline",
        "both": "Ensemble",
    }  # fmt: skip
    assert models["theta"].steps[0].period == 5
    assert [type(step).__name__ for step in models["adjusted"].steps] == ["Scale", "AutocorrelatedErrors"]
    assert models["clustered"].forecaster.clusterer.clusterer.n_clusters == 1
    assert models["both"].models[1].horizon == 3


@pytest.mark.filterwarnings("ignore:one-step errors are still autocorrelated")
def test_pipelines_of_a_job_are_backtested_and_resume(job, tmp_path):
    path = job(HEAD + PIPED)
    first = run_job(path, out=tmp_path / "run").forecasts
    assert first["model"].nunique() == 5
    pd.testing.assert_frame_equal(run_job(path, out=tmp_path / "run").forecasts, first)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('preprocess = "Scale"', r"preprocess must be a list of tables"),
        ('preprocess = ["Scale"]', r"models.naive.preprocess\[0\] must be a table with a class"),
        ('preprocess = [{class = "Scal"}]', "did you mean 'Scale'"),
        ('preprocess = [{class = "Theta"}]', "Theta is no preprocessor; choose one of Scale"),
        ('preprocess = [{class = "Scale", methd = "robust"}]', "Scale has no setting 'methd'; did you mean 'method'"),
    ],
)
def test_a_step_that_is_no_preprocessor_is_refused_by_name_and_place(job, line, words):
    with pytest.raises(JobError, match=words):
        read_job(job(HEAD + NAIVE + line))


def test_the_season_of_a_recipe_is_the_period_of_a_decomposition(job):
    text = '[data]\ndataset = "sunspots"\n[backtest]\nhorizon = 3\n[models.a]\nclass = "SeasonalNaive"\n'
    step = 'preprocess = [{class = "TrendSeasonalDecomposition"}]\n'
    season = read_job(job(text)).models["a"].season_length
    assert read_job(job(text + step)).models["a"].steps[0].period == season
    many = step.replace('"}]', '", method = "mstl"}]')
    assert read_job(job(text + many)).models["a"].steps[0].period is None

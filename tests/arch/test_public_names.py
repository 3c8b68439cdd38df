"""The public surface is pinned: a change here is a change of the interface."""

import importlib
import inspect
import pkgutil
from importlib import resources

import pytest

import equipoise

PINNED = [
    "ActiveFade",
    "Ageing",
    "CellData",
    "CellDesign",
    "CellImpedance",
    "CellRecord",
    "Circuit",
    "CircuitFit",
    "Comparison",
    "CredibleBand",
    "CycleLife",
    "DataError",
    "DifferentialCapacity",
    "Distribution",
    "DrtSettings",
    "EquipoiseError",
    "EquipoiseWarning",
    "ErrorSource",
    "FitError",
    "Frame",
    "InterphaseGrowth",
    "Inventory",
    "Jump",
    "KramersKronig",
    "LatticeContraction",
    "Ledger",
    "Life",
    "Mechanism",
    "Mesh",
    "ParasiticCurrent",
    "Recording",
    "Resistances",
    "Run",
    "SolveError",
    "SpecError",
    "SpectraFile",
    "Spectrum",
    "StackPressure",
    "Stepping",
    "Store",
    "StoreError",
    "Tail",
    "TauRange",
    "ThreeElectrode",
    "__version__",
    "ageing_of",
    "bundled_text",
    "cell_data_of",
    "cell_statistics",
    "check_ups",
    "classify",
    "compare",
    "compare_circuits",
    "compare_cycle_life",
    "compensation_by_loss",
    "compensation_by_polarisation",
    "compensation_ledger",
    "credible_band",
    "cycle_life",
    "cycle_summary",
    "design_cell",
    "design_half_cell",
    "distribution",
    "distributions",
    "dqdv",
    "dqdv_map",
    "dvdq",
    "fade_rate",
    "fit_circuit",
    "fit_msmr",
    "fit_peaks",
    "fit_series",
    "impedance_of",
    "import_of",
    "kramers_kronig",
    "life",
    "life_protocol",
    "life_sensitivities",
    "like_cycles",
    "load_ageing",
    "load_cell",
    "load_cell_data",
    "load_half_cell",
    "load_half_cell_setup",
    "load_kinetics",
    "load_protocol",
    "load_record",
    "mean_over_replicates",
    "np_map",
    "np_voltage_map",
    "paired_comparison",
    "partial_conductivities",
    "partial_conductivity_of_one",
    "peaks",
    "pressure_amplitudes",
    "pressure_trace",
    "profiles",
    "rate_recovery",
    "rate_table",
    "read",
    "read_bdf",
    "read_cycles",
    "read_spectra",
    "record_of",
    "reserve",
    "resistances",
    "resistances_of_series",
    "retention",
    "simulate",
    "simulate_many",
    "spectra_of",
    "three_electrode",
    "tolerance",
    "track_peaks",
    "weigh_sheet",
    "window_charge",
    "windows_of_cell",
    "with_positive",
    "write_bdf",
    "write_design_report",
    "write_pybamm",
    "write_run",
    "write_spectra",
]


def modules():
    names = [
        m.name
        for m in pkgutil.walk_packages(equipoise.__path__, "equipoise.")
        if not m.name.endswith("__main__")
    ]
    return [equipoise, *(importlib.import_module(n) for n in names)]


MODULES = modules()


def test_the_public_names_are_pinned_and_sorted():
    assert equipoise.__all__ == PINNED
    assert sorted(PINNED) == PINNED
    assert dir(equipoise) == PINNED


@pytest.mark.parametrize("name", PINNED)
def test_every_public_name_can_be_imported(name):
    assert getattr(equipoise, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'desing_cell'"):
        _ = equipoise.desing_cell


def defined_in(module):
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == module.__name__
        if own and (inspect.isclass(thing) or inspect.isfunction(thing)):
            yield name, thing


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_module_class_and_public_function_says_what_it_is(module):
    assert module.__doc__
    missing = []
    for name, thing in defined_in(module):
        if name.startswith("_"):
            continue
        if not (thing.__doc__ or "").strip():
            missing.append(name)
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                public = not member.startswith("_")
                target = value.fget if isinstance(value, property) else value
                target = getattr(target, "__func__", target)
                if public and inspect.isfunction(target) and not target.__doc__:
                    missing.append(f"{name}.{member}")
    assert not missing


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_dataclasses_are_frozen(module):
    for name, thing in defined_in(module):
        parameters = getattr(thing, "__dataclass_params__", None)
        assert parameters is None or parameters.frozen, name


@pytest.mark.parametrize(
    "path",
    [
        "py.typed",
        "io/readers/maps/generic.toml",
        "spec/library/cells/zhang2026-lb.toml",
        "spec/library/materials/ncm85.toml",
        "spec/library/half_cells/zhang2026-ncm85-inli.toml",
        "report/templates/design.html.j2",
    ],
)
def test_the_package_carries_its_data(path):
    file = resources.files("equipoise").joinpath(*path.split("/"))
    assert file.is_file()


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert version("equipoise") == equipoise.__version__

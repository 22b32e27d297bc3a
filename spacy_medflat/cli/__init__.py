"""`python -m spacy medflat …`: commands that parse, call and print."""

import typer
from spacy.cli import app

from .annotate import annotate
from .calibrate import calibrate
from .card import card
from .check_data import check_data
from .convert import convert
from .ensemble import ensemble
from .evaluate import evaluate
from .experiments import experiments
from .find_thresholds import find_thresholds
from .lexicon import lexicon_cli
from .pretrain import pretrain
from .render import render
from .report import report
from .select import select
from .self_train import self_train
from .serve import serve
from .train import train
from .vectors import vectors_cli

medflat_cli = typer.Typer(
    name="medflat",
    help="Nested clinical entities in Chinese: check data, train, compare, evaluate, annotate archives, render, serve.",
    no_args_is_help=True,
)
medflat_cli.command("convert")(convert)
medflat_cli.command("check-data")(check_data)
medflat_cli.command("find-thresholds")(find_thresholds)
medflat_cli.command("calibrate")(calibrate)
medflat_cli.command("self-train")(self_train)
medflat_cli.command("card")(card)
medflat_cli.command("ensemble")(ensemble)
medflat_cli.command("annotate")(annotate)
medflat_cli.command("select")(select)
medflat_cli.command("pretrain")(pretrain)
medflat_cli.command("evaluate")(evaluate)
medflat_cli.command("render")(render)
medflat_cli.command("serve")(serve)
medflat_cli.command("experiments")(experiments)
medflat_cli.command("report")(report)
medflat_cli.command("train", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(train)
medflat_cli.add_typer(lexicon_cli)
medflat_cli.add_typer(vectors_cli)
app.add_typer(medflat_cli)

"""What the API returns, for its schema."""

from typing import Any

from rest_framework import serializers


class BoardLink(serializers.Serializer[Any]):
    board = serializers.CharField()
    snapshot = serializers.CharField()
    published_at = serializers.DateTimeField()
    json = serializers.URLField()
    csv = serializers.URLField()


class StandingRow(serializers.Serializer[Any]):
    contestant = serializers.CharField()
    slug = serializers.CharField()
    organisation = serializers.CharField(required=False)
    licence = serializers.CharField(required=False)
    stage = serializers.CharField(required=False)
    family = serializers.CharField(required=False)
    rank = serializers.IntegerField()
    rank_lower = serializers.IntegerField(allow_null=True)
    rank_upper = serializers.IntegerField(allow_null=True)
    rating = serializers.FloatField()
    se = serializers.FloatField()
    se_unclustered = serializers.FloatField()
    rating_lower = serializers.FloatField()
    rating_upper = serializers.FloatField()
    theta = serializers.FloatField()
    votes = serializers.IntegerField()
    raw_rank = serializers.IntegerField(required=False)
    raw_rating = serializers.FloatField(required=False)
    moved_ranks = serializers.IntegerField(required=False)
    moved_rating = serializers.FloatField(required=False)
    moved_half = serializers.FloatField(required=False)


class UnplacedRow(serializers.Serializer[Any]):
    contestant = serializers.CharField()
    slug = serializers.CharField()
    votes = serializers.IntegerField()
    reason = serializers.CharField()
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    ties = serializers.IntegerField()
    group = serializers.IntegerField()
    bound = serializers.FloatField(allow_null=True)


class CoefficientRow(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.FloatField()
    se = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()
    scale = serializers.FloatField()
    elo = serializers.FloatField()


class Board(serializers.Serializer[Any]):
    snapshot = serializers.CharField()
    board = serializers.CharField()
    category = serializers.CharField()
    published_at = serializers.DateTimeField()
    engine = serializers.CharField()
    simulated_votes = serializers.IntegerField()
    spec = serializers.DictField()
    counts = serializers.DictField()
    clustered = serializers.BooleanField()
    effective_voters = serializers.FloatField(allow_null=True)
    coefficients = CoefficientRow(many=True)
    position = CoefficientRow(allow_null=True)
    warnings = serializers.ListField(child=serializers.CharField())
    standings = StandingRow(many=True)
    unplaced = UnplacedRow(many=True)

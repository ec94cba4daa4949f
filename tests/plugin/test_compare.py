"""Comparing in a test: a failed assertion says what differs and where to see the rest."""

FAILING = """
    def test_our_client_works_on_the_old_cloud(imagedetail):
        assert imagedetail.compare("nova-2026.2", "nova-essex").compatible
"""

BRIEF = [
    "E *nova-2026.2 -> nova-essex: 12 differences: 9 breaking, 3 compatible, 0 data",
    "E *breaking   field_removed images[[]*[]].OS-EXT-IMG-SIZE:size (13 images)",
    'E *compatible link_changed images[[]*[]].links.alternate: "/images/<id>" -> *',
    'E *compatible link_changed images[[]*[]].links.bookmark: "/images/<id>" -> *',
    'E *compatible link_changed images[[]*[]].links.self: "/<v>/images/<id>" -> *',
    "E *values and reasons: pytest -vv",
    "E *or: imagedetail diff nova-2026.2 nova-essex",
]


def test_an_incompatible_comparison_explains_itself(project):
    """Counts first, the worst first, then how to see the rest; no frame of ours."""
    project.makepyfile(FAILING)
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(BRIEF, consecutive=True)


def test_very_verbose_shows_values_and_reasons(project):
    """`-vv` shows the whole report."""
    project.makepyfile(FAILING)
    result = project.runpytest("-vv")
    result.stdout.fnmatch_lines(
        [
            "E *baseline *nova-2026.2 *13 images *query all *release 2026.2 *recorded 2*",
            "E *candidate *nova-essex *13 images *query all *release essex *recorded 2*",
            "E *breaking    field_removed  images[[]*[]].OS-EXT-IMG-SIZE:size  13 images: *",
            "E *not offered: essex never had it; the baseline's release has",
        ]
    )


def test_equal_listings_are_equal_and_others_explain_themselves(project):
    """`==` compares normalized images; its failure is ours, not a dump of two objects."""
    project.makepyfile(
        """
        def test_same(imagedetail_cloud):
            assert imagedetail_cloud.list() == imagedetail_cloud.list()

        def test_other(imagedetail):
            assert imagedetail["nova-2026.2"].list() == imagedetail["nova-essex"].list()
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E *assert nova-2026.2 -> nova-essex: *", *BRIEF[1:]])
    result.stdout.no_fnmatch_line("*Full output truncated*")


def test_upgrading_the_other_way_is_compatible(project):
    """A field that the older release never had is an addition, and additions do not break."""
    project.makepyfile(
        """
        def test_upgrade(imagedetail, imagedetail_cloud):
            comparison = imagedetail.compare("nova-essex", imagedetail_cloud)
            assert comparison.compatible
            assert comparison.same is (imagedetail_cloud.name == "nova-essex")
        """
    )
    project.runpytest().assert_outcomes(passed=2)


def test_fail_on_moves_the_bar(project):
    """`change` fails on any difference, `none` on no difference; a report is made all the same."""
    project.makepyfile(FAILING)
    project.runpytest("--imagedetail-fail-on=none").assert_outcomes(passed=1)
    project.makepyfile(
        FAILING.replace('"nova-2026.2", "nova-essex"', '"nova-essex", "nova-2026.2"')
    )
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--imagedetail-fail-on=change").assert_outcomes(failed=1)


def test_the_baseline_has_a_name(project):
    """`imagedetail.baseline` is the declared cloud; the option beats the file."""
    project.makepyfile(
        """
        def test_baseline(imagedetail, pytestconfig):
            option = pytestconfig.getoption("--imagedetail-baseline")
            assert imagedetail.baseline.name == (option or "nova-2026.2")
        """
    )
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--imagedetail-baseline=nova-essex").assert_outcomes(passed=1)


def test_another_failed_assertion_is_left_alone(project):
    """A comparison that was the same, or none at all, adds nothing to a failure."""
    project.makepyfile(
        """
        def test_x(imagedetail):
            imagedetail.compare("nova-essex", "nova-essex")
            assert 1 == 2
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*no difference*")


def test_a_comparison_is_neither_true_nor_false(project):
    """`assert imagedetail.compare(a, b)` would always pass, so it is an error."""
    project.makepyfile(
        """
        def test_x(imagedetail):
            assert imagedetail.compare("nova-2026.2", "nova-essex")
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *TypeError: a comparison is neither true nor false: ask *"])

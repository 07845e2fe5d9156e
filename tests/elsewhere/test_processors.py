from kantor.elsewhere import processors
from kantor.elsewhere.processors import PROCESSORS

AVX2 = frozenset({"avx2", "fma"})
WIDE = AVX2 | processors.SKYLAKE


def test_the_choice_has_both_makers_and_every_kind():
    for names in (processors.CHOICE, processors.FEW):
        chosen = [PROCESSORS[name] for name in names]
        assert len(chosen) >= 4
        assert {one.maker for one in chosen} == {"AMD", "Intel"}
        assert {one.wide for one in chosen} == {True, False}
        first, second, _ = zip(*(one.caches for one in chosen), strict=True)
        assert {size for size, _ in first} == {32, 48}
        assert {256, 2048} <= {size for size, _ in second}


def test_caches_have_whole_sets():
    for processor in PROCESSORS.values():
        for kib, ways in processor.caches:
            assert kib * 1024 % (64 * ways) == 0, processor.name


def test_the_answers_clear_what_a_processor_lacks():
    *_, ebx, _, _, _, _ = PROCESSORS["haswell"].answers().split()
    assert int(ebx, 16) & 1 << 16, "AVX-512"
    maker, signature, *_, ebx, _, _, eax, _ = PROCESSORS["skylake-x"].answers().split()
    assert (maker, signature) == ("Intel", "50654")
    assert int(ebx, 16) == 1 << 21, "of leaf 7 only IFMA is cleared"
    assert int(eax, 16) & 1 << 5, "BF16"


def test_what_this_processor_can_not_show_is_told():
    names = ("zen3", "skylake-x")
    assert [one.name for one in processors.possible(names, AVX2)] == ["zen3"]
    assert "skylake-x" in processors.not_shown(names, AVX2)[0]
    assert len(processors.possible(names, WIDE)) == 2
    (approximations,) = processors.not_shown(names, WIDE)
    assert "rsqrtps" in approximations

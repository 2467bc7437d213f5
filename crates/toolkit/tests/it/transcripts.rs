//! What the verbs print, word for word: `tests/cmd`. `TRYCMD=overwrite cargo test -p toolkit` writes it anew.

#[test]
fn the_verbs_print_what_is_written_down() {
    trycmd::TestCases::new().register_bin("stsmm", assert_cmd::cargo::cargo_bin("stsmm")).case("tests/cmd/*.toml");
}

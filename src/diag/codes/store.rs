//! `PD04xx`: the store.

use super::codes;

codes! {
    NEWER_STORE = "PD0401", "the store was written by a newer pdsl",
        "Each store carries the number of its layout. A layout with a higher number than this pdsl knows may mean \
         something else by the same file names, so nothing in it is read or changed. Use the pdsl that wrote it, or \
         give `--store` another directory and let the stages run again there.",
        wrong: "", right: "";
    NOT_A_STORE = "PD0402", "the directory is not a store",
        "A store is made only where there is nothing yet, so that no directory of yours fills up with objects by \
         accident. The path comes from `--store`, the variable `PDSL_STORE`, the profile, or is `.pdsl` beside the file.",
        wrong: "pdsl run quickstart.pd --store ~/thesis", right: "pdsl run quickstart.pd --store ~/thesis/store";
    DAMAGED_OBJECT = "PD0403", "a stored object is damaged",
        "Every object is named by the digest of its bytes and checked when it is read. One whose bytes have changed on \
         disk is moved to `quarantine/` in the store and the stage it came from runs again. One such message is a cosmic \
         ray; several are a failing disk: look at `pdsl store verify`.",
        wrong: "", right: "";
    STORE_FULL = "PD0404", "there is no space left for the store",
        "The disk, a quota or a limit on file sizes is used up. What was stored before is untouched and the unfinished \
         stage can be resumed. `pdsl store gc --dry-run` lists what no experiment \
         needs any more, and `pdsl store gc` removes it.",
        wrong: "", right: "";
    STORE_DENIED = "PD0405", "the store cannot be read or written",
        "The file system refuses access for this user, or is mounted read-only. Change the permissions or give `--store` \
         a directory of your own.",
        wrong: "", right: "";
    STORE_IO = "PD0406", "the file system failed under the store",
        "The operating system reported an error that is neither a lack of space nor of permission. What was stored before \
         is untouched; running again continues from there.",
        wrong: "", right: "";
    MALFORMED_RECORD = "PD0407", "a record in the store cannot be read",
        "The record of a finished stage is not what pdsl wrote: the file was changed by hand, cut short or damaged. It has \
         been moved to `quarantine/` in the store and the stage counts as not yet run.",
        wrong: "", right: "";
}

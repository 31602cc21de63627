//! `PD06xx`: data, weights and numerics.

use super::codes;

codes! {
    DATA_MISSING = "PD0601", "the data of a stage are not at hand",
        "The stage reads a data set that lies on disk, and no directory is known for its name, or the directory or one of \
         its files does not exist. Name the directory under `data:` in the profile.",
        wrong: "", right: "data:\n  imagenet: /data/imagenet";
    DATA_UNREADABLE = "PD0602", "a file of a data set cannot be read",
        "A file of the data set is damaged, cut short, not in the expected form, or the system refuses to open it. The \
         message names the file and, in a table, the line. Replace the file by a fresh copy.",
        wrong: "", right: "";
    DATA_MISMATCH = "PD0603", "the data are not what the program says",
        "A program states the number of classes, the size and the number of the images of a task, so that everything can \
         be counted before it runs. The data found on disk differ.",
        wrong: "stored(\"flowers\", classes: 100, size: 224, train: 1020, val: 1020)",
        right: "stored(\"flowers\", classes: 102, size: 224, train: 1020, val: 1020)";
    DATA_UNSUPPORTED = "PD0604", "this pdsl cannot read such data",
        "The program is right and can be planned, but this version of pdsl has no reader for this kind of data.",
        wrong: "", right: "";
    WEIGHTS_MISMATCH = "PD0605", "the weights belong to another architecture",
        "Weights are matched to the architecture by torchvision's names and by shape. Entries are missing, unknown or of \
         another shape; the message names the first of each.",
        wrong: "load(\"resnet18.safetensors\", resnet50(classes: 1000))",
        right: "load(\"resnet50.safetensors\", resnet50(classes: 1000))";
    WEIGHTS_UNREADABLE = "PD0606", "a file of weights cannot be read",
        "The file is missing, has changed since the program was checked, is damaged, or is of no format that pdsl reads. It \
         reads safetensors, state dicts that `torch.save` wrote, and NumPy's npz, and recognises them by their contents; \
         `pdsl show` reads ONNX too.",
        wrong: "load(\"model.onnx\", resnet50(classes: 1000))", right: "load(\"model.pth\", resnet50(classes: 1000))";
    NO_SUCH_LAYER = "PD0607", "there is no layer of this name",
        "Layers are named by their path, as torchvision names them: the fields of the record of layers, joined by dots.",
        wrong: "netdissect(s, layer: \"layer5\", data: probe)", right: "netdissect(s, layer: \"layer4\", data: probe)";
    NUMERICS_FAILED = "PD0608", "a computation on a network failed",
        "The numerical core refused: the message says what did not fit. If the program was accepted by `pdsl check`, this \
         is an error in pdsl; please report it with the program.",
        wrong: "", right: "";
    FETCH_FAILED = "PD0609", "a file of a data set cannot be fetched",
        "The server cannot be reached, refuses, or the connection broke several times; or the file cannot be written. What \
         came is kept beside the target with the ending `.part`, and the next `pdsl data fetch` goes on from there.",
        wrong: "", right: "";
    FETCH_SUM = "PD0610", "a fetched file is not the one that the profile promises",
        "Its SHA-256 differs from the one under `sha256:`. The file is kept with the ending `.wrong` and is not used: it \
         may be another version, or an error page.",
        wrong: "", right: "";
    WEIGHTS_REFUSED = "PD0620", "a file of weights asks to run code",
        "A `.pth` file is a pickle: a program that can call any function of Python. pdsl reads the instructions and names \
         that a state dict of tensors needs, interprets them itself, and refuses everything else; nothing was run. Files \
         of whole models (`torch.save(model, …)`) need their classes and are refused too: save the state dict.",
        wrong: "torch.save(model, \"model.pth\")", right: "torch.save(model.state_dict(), \"model.pth\")";
    WEIGHTS_AMBIGUOUS = "PD0621", "a file does not hold exactly one state dict",
        "Tensors are taken from the one dictionary of the file that has names and tensors, or from the one under \
         `state_dict`, `model_state_dict`, `model_state`, `model` or `net`. The file has none, or several.",
        wrong: "torch.save({\"net\": a.state_dict(), \"model\": b.state_dict()}, \"two.pth\")",
        right: "torch.save(a.state_dict(), \"one.pth\")";
}

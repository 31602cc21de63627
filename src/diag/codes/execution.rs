//! `PD05xx`: execution.

use super::codes;

codes! {
    STAGE_FAILED = "PD0501", "a stage failed",
        "The stage ended with an error. Everything that does not depend on it goes on (unless `--fail-fast` is given); \
         what depends on it is blocked and listed. Running again retries it and repeats nothing that was finished.",
        wrong: "", right: "";
    STAGE_KILLED = "PD0502", "the process of a stage was killed",
        "The stage's process was ended by a signal. Signal 9 without a person behind it is how Linux ends a process when \
         memory runs out: fewer parallel stages (`--jobs 1`) or a smaller batch need less. Training goes on from its last \
         resume point when run again.",
        wrong: "", right: "";
    DIVERGED = "PD0503", "the training diverged",
        "The loss became infinite or not a number. The stage stops at once instead of training on nonsense, and the last \
         good resume point is kept. A smaller learning rate, or a warm-up, is the usual remedy.",
        wrong: "sgd(lr: 100.0, momentum: 0.9, batch: 64)", right: "sgd(lr: 0.1, momentum: 0.9, batch: 64)";
    INTERRUPTED = "PD0504", "the run was interrupted",
        "Running stages saved a resume point before they stopped. The same command goes on from there and ends with the \
         same bits as an undisturbed run.",
        wrong: "", right: "";
    INPUT_LOST = "PD0505", "an input of a stage is no longer in the store",
        "The result of an earlier stage was removed or damaged while this run used it. The run makes it again by itself; \
         if this is the last word, the store loses objects as fast as they are made: check the disk with \
         `pdsl store verify`.",
        wrong: "", right: "";
    WORKER_UNAVAILABLE = "PD0506", "no process can be started for a stage",
        "The operating system refuses to start another process: a limit on processes or memory is reached, or the pdsl \
         program file was moved while it ran.",
        wrong: "", right: "";
    COLLAPSED_LAYER = "PD0507", "a layer has no weights left",
        "Pruning removed every weight of a layer, so nothing passes it any more except biases. Accuracy usually falls to \
         chance from here on. Keep the layer with `keep:`, or prune per layer.",
        wrong: "dense |> prune(global_magnitude(99.9%))", right: "dense |> prune(layer_magnitude(99.9%))";
    DEVICE_MEMORY = "PD0508", "a stage does not fit into the memory of the GPU",
        "Weights, what the optimiser remembers, activations and their gradients must fit into the memory that is free on \
         every GPU. The message says how much that is and how many images would fit. A batch divides among several GPUs; \
         `--precision bf16` halves the activations.",
        wrong: "sgd(lr: 0.1, momentum: 0.9, batch: 4096)", right: "sgd(lr: 0.1, momentum: 0.9, batch: 256)";
    DEVICE_FAILED = "PD0509", "a GPU failed",
        "NVIDIA's driver, cuDNN or NCCL answered a call with an error, or has no algorithm for a layer under the precision \
         and determinism asked for. The message names the call or the layer. Training goes on from its last resume point \
         when run again; `--device cpu` does without the GPU.",
        wrong: "", right: "";
    THIN_LAYER = "PD0510", "a layer has fewer weights than outputs",
        "After this pruning a layer has less than one weight per output, so that most of its outputs are constant whatever \
         the image is. Units behind it answer to little. Keep the layer with `keep:`, or prune per layer.",
        wrong: "dense |> prune(global_magnitude(99.5%))", right: "dense |> prune(layer_magnitude(99.5%))";
    UNLIKE_LAYERS = "PD0511", "magnitudes are compared across layers of unlike sizes",
        "A pruning with the scope `global` takes the smallest weights of all layers together. Where batch norm was folded \
         into the weights, or where weights of one layer are far larger than those of another, that removes whole layers \
         for their scale, not for their importance. Prune per layer, or a network that still has its batch norm.",
        wrong: "load(\"folded.safetensors\", net) |> prune(global_magnitude(80%))",
        right: "load(\"folded.safetensors\", net) |> prune(layer_magnitude(80%))";
}

//! What the numerical core complains about, as problems that tell the user what to do.

use super::{Problem, RunError};
use crate::diag::codes::{data as codes, execution};
use crate::nn::data::DataError;
use crate::nn::device::DeviceError;
use crate::nn::dissect::DissectError;
use crate::nn::weights::FileError;
use crate::nn::{self, mask::MaskError};

impl From<DataError> for Problem {
    fn from(error: DataError) -> Self {
        let (code, help) = match &error {
            DataError::Unnamed { name } => (
                &codes::DATA_MISSING,
                format!("write its directory into the profile: `data: {{{name}: /path/to/{name}}}`"),
            ),
            DataError::Missing { .. } => {
                (&codes::DATA_MISSING, "check the path under `data:` in the profile".to_owned())
            }
            DataError::Access { action: "written", .. } => {
                (&codes::DATA_UNREADABLE, "make the directory writable, or choose another store".to_owned())
            }
            DataError::Access { .. } => (&codes::DATA_UNREADABLE, "check the permissions of the file".to_owned()),
            DataError::Malformed { .. } => (&codes::DATA_UNREADABLE, "replace the file by a fresh copy".to_owned()),
            DataError::Form { .. } => (
                &codes::DATA_UNREADABLE,
                "check the path in the profile; the forms that are read are listed in docs/data.md".to_owned(),
            ),
            DataError::Picture { .. } => (
                &codes::DATA_UNREADABLE,
                "replace the file by a fresh copy, or write `damaged: skip` in the profile".to_owned(),
            ),
            DataError::Unsupported { .. } => {
                (&codes::DATA_UNSUPPORTED, "build pdsl with it: `cargo build --release --features parquet`".to_owned())
            }
            DataError::Parameters { .. } => {
                (&codes::DATA_MISMATCH, "correct the numbers in the program, or the path in the profile".to_owned())
            }
        };
        Self::new(code, error.to_string()).help(help)
    }
}

impl From<nn::Error> for Problem {
    fn from(error: nn::Error) -> Self {
        let message = error.to_string();
        if let nn::Error::Image(error) = error {
            return error.into();
        }
        match &error {
            nn::Error::Diverged { .. } => Self::new(&execution::DIVERGED, message)
                .help("use a smaller learning rate or a warm-up; the last good resume point is kept"),
            nn::Error::Weights(_) => Self::new(&codes::WEIGHTS_MISMATCH, message)
                .help("load them into the architecture that they were trained in"),
            nn::Error::Checkpoint(_) => {
                Self::new(&codes::WEIGHTS_UNREADABLE, message).help("replace the file by a fresh copy")
            }
            nn::Error::File(error) => of_file(error, message),
            nn::Error::Images { .. } | nn::Error::Labels { .. } | nn::Error::Empty => {
                Self::new(&codes::DATA_MISMATCH, message).help("make the task and the architecture agree")
            }
            nn::Error::NoLayer { layers, .. } => {
                let known: Vec<String> = layers.iter().take(12).map(|layer| format!("`{layer}`")).collect();
                Self::new(&codes::NO_SUCH_LAYER, message).help(format!("its layers are {}", known.join(", ")))
            }
            nn::Error::Device(error) => of_device(error, message),
            _ => Self::new(&codes::NUMERICS_FAILED, message),
        }
    }
}

fn of_file(error: &FileError, message: String) -> Problem {
    let (code, help) = match error {
        FileError::Unknown(_) => {
            (&codes::WEIGHTS_UNREADABLE, "give safetensors, a state dict saved by `torch.save`, or an npz")
        }
        FileError::Malformed(_) => (&codes::WEIGHTS_UNREADABLE, "replace the file by a fresh copy"),
        FileError::Unsupported(_) => {
            (&codes::WEIGHTS_UNREADABLE, "in Python, save a plain state dict: `torch.save(model.state_dict(), …)`")
        }
        FileError::Refused(_) | FileError::Instruction(_) => (
            &codes::WEIGHTS_REFUSED,
            "if you trust the file, load it in Python and save its state dict alone: `torch.save(model.state_dict(), …)`",
        ),
        FileError::TorchScript => {
            (&codes::WEIGHTS_UNREADABLE, "in Python: `torch.save(torch.jit.load(…).state_dict(), \"weights.pth\")`")
        }
        FileError::Graph => (
            &codes::WEIGHTS_UNREADABLE,
            "give the state dict that the graph was made from; `pdsl show` prints what the graph holds",
        ),
        FileError::Empty => (&codes::WEIGHTS_AMBIGUOUS, "save the state dict: `torch.save(model.state_dict(), …)`"),
        FileError::Several(_) => (&codes::WEIGHTS_AMBIGUOUS, "save the one you mean in a file of its own"),
    };
    Problem::new(code, message).help(help)
}

fn of_device(error: &DeviceError, message: String) -> Problem {
    match error {
        DeviceError::OutOfMemory { fits, .. } => {
            let problem = Problem::new(&execution::DEVICE_MEMORY, message);
            match fits {
                Some(fits) => problem.help(format!(
                    "use a batch of at most {fits} images, more GPUs (`--device cuda:0,1`), or `--precision bf16`"
                )),
                None => problem.help("use a GPU with more memory, or one that nobody else uses"),
            }
        }
        _ => Problem::new(&execution::DEVICE_FAILED, message)
            .help("run again; if it fails again, use `--device cpu`, or `--fast` if cuDNN has no algorithm"),
    }
}

impl From<DissectError> for RunError {
    fn from(error: DissectError) -> Self {
        match error {
            DissectError::Stopped => Self::Interrupted { step: None },
            DissectError::Data(error) => Problem::from(error).into(),
            other => Problem::new(&codes::NUMERICS_FAILED, other.to_string()).into(),
        }
    }
}

impl From<DataError> for RunError {
    fn from(error: DataError) -> Self {
        Problem::from(error).into()
    }
}

impl From<nn::Error> for RunError {
    fn from(error: nn::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<MaskError> for RunError {
    fn from(error: MaskError) -> Self {
        nn::Error::from(error).into()
    }
}

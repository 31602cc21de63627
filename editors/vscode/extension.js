// Starts `pdsl lsp` and leaves everything else to it.

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = workspace.getConfiguration("pdsl").get("path", "pdsl");
  client = new LanguageClient(
    "pdsl",
    "pdsl",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ language: "pdsl" }],
      synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.pd") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const path = "Set the path";
    const chosen = await window.showErrorMessage(`\`${command} lsp\` cannot be started: ${error.message}`, path);
    if (chosen === path) {
      await commands.executeCommand("workbench.action.openSettings", "pdsl.path");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) {
    await running.stop();
  }
}

async function restart() {
  await stop();
  await start();
}

exports.activate = async (context) => {
  context.subscriptions.push(
    commands.registerCommand("pdsl.restart", restart),
    workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("pdsl.path") && restart()),
  );
  await start();
};

exports.deactivate = stop;

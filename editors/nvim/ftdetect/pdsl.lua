-- `.pd` is claimed by others too, Pure Data among them: programs of pdsl are told apart by their first lines.
vim.filetype.add({
  extension = {
    pd = function(_, buffer)
      local first = vim.api.nvim_buf_get_lines(buffer, 0, 1, false)[1] or ""
      return first:match("^#N canvas") and "puredata" or "pdsl"
    end,
  },
})

-- `.pd` is claimed by others too, Pure Data among them: its patches are told apart by their first line.
local function kind(buffer)
  local first = vim.api.nvim_buf_get_lines(buffer, 0, 1, false)[1] or ""
  return first:match("^#N canvas") and "puredata" or "pdsl"
end

if vim.fn.has("nvim-0.8") == 1 then
  vim.filetype.add({
    extension = {
      pd = function(_, buffer)
        return kind(buffer)
      end,
    },
  })
else
  vim.api.nvim_create_autocmd({ "BufRead", "BufNewFile" }, {
    pattern = "*.pd",
    callback = function(event)
      vim.bo[event.buf].filetype = kind(event.buf)
    end,
  })
end

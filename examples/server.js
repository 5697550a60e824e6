const http = require('http');
const fs = require('fs');
const path = require('path');

const types = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
};

function contentType(file) {
  const extension = path.extname(file);
  return types[extension] || 'application/octet-stream';
}

function sendFile(response, file) {
  fs.readFile(file, (error, data) => {
    if (error) {
      response.writeHead(404);
      response.end('Not found');
      return;
    }
    response.writeHead(200, { 'Content-Type': contentType(file) });
    response.end(data);
  });
}

const server = http.createServer((request, response) => {
  const file = path.join(__dirname, 'public', request.url);
  sendFile(response, file);
});

server.listen(8080);
